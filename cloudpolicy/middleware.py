"""Every request over HTTP hears soon when the cloud does not answer; workers and commands have patience."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from cloudpolicy.services.aws import while_somebody_waits


def hurry_the_cloud(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A web server has few threads: those that wait for a silent cloud are missing to everybody else."""

    def answer(request: HttpRequest) -> HttpResponse:
        with while_somebody_waits():
            return get_response(request)

    return answer
