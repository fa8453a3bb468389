from django.apps import AppConfig


class CloudpolicyConfig(AppConfig):
    name = "cloudpolicy"

    def ready(self) -> None:
        from cloudpolicy import receivers  # noqa: F401 - connects them
