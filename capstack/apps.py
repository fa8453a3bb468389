from django.apps import AppConfig


class CapstackConfig(AppConfig):
    name = "capstack"
