"""Everything forecasting serves under /api/v1."""

from ninja import Router

from forecasting.api.accuracy import router as accuracy_router
from forecasting.api.plan import router as plan_router
from forecasting.api.runway import router as runway_router
from forecasting.api.scenarios import router as scenarios_router

router = Router()
router.add_router("", runway_router)
router.add_router("", plan_router)
router.add_router("", accuracy_router)
router.add_router("", scenarios_router)
