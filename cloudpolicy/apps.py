from django.apps import AppConfig


class CloudpolicyConfig(AppConfig):
    name = "cloudpolicy"
