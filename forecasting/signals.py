"""What forecasting announces. All are sent after the commit; a receiver only wakes a job."""

from django.dispatch import Signal

# company_id: int, run_id: int (the run on the free basis, which is the headline)
forecast_published = Signal()

# company_id: int, version: int
plan_recorded = Signal()

# company_id: int, run_id: int (of either basis)
forecast_explained = Signal()
