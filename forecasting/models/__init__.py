"""Tables of forecasting. Django discovers them through these imports; import names from the files themselves."""

from forecasting.models import cursor as cursor
from forecasting.models import explanation as explanation
from forecasting.models import plan as plan
from forecasting.models import record as record
from forecasting.models import run as run
from forecasting.models import scenario as scenario
