"""A payroll and its webhooks in the shapes that Gusto documents (docs.gusto.com/embedded-payroll)."""

import hmac
from copy import deepcopy
from hashlib import sha256
from typing import Any

COMPANY = "5df911a0-e8e9-412d-8aaf-a46ad193dd96"
PAYROLL = "c02f2c32-34f7-4128-9145-7d49f0c3f355"
SUBSCRIPTION = "e5540567-a6ee-4ce8-bf3e-a12c563db54c"
TOKEN = "6590f590-3dba-495e-9bea-c361e1e2efc0"

_PAYROLL: dict[str, Any] = {
    "uuid": PAYROLL,
    "payroll_uuid": PAYROLL,
    "company_uuid": COMPANY,
    "check_date": "2026-06-12",
    "processed": True,
    "processed_date": "2026-06-10",
    "payroll_deadline": "2026-06-10T23:00:00Z",
    "external": False,
    "off_cycle": False,
    "pay_period": {"start_date": "2026-05-30", "end_date": "2026-06-12", "pay_schedule_uuid": SUBSCRIPTION},
    "payroll_status_meta": {"cancellable": False, "expected_debit_time": "2026-06-10T23:00:00Z"},
    "totals": {
        "company_debit": "14137.20",
        "net_pay_debit": "7550.00",
        "tax_debit": "4087.20",
        "reimbursement_debit": "120.00",
        "child_support_debit": "80.00",
        "reimbursements": "120.00",
        "gross_pay": "12000.00",
        "net_pay": "8550.00",
        "check_amount": "1000.00",
        "employee_taxes": "3169.20",
        "employer_taxes": "918.00",
        "employee_benefits_deductions": "200.80",
        "benefits": "401.60",
        "other_deductions": "80.00",
        "deferred_payroll_taxes": "0.00",
        "imputed_pay": "0.00",
    },
}


def payroll(**changes: Any) -> dict[str, Any]:
    return {**deepcopy(_PAYROLL), **changes}


def payroll_event(event_type: str = "payroll.processed", **changes: Any) -> dict[str, Any]:
    return {
        "uuid": "f7397a24-57ad-4fae-b011-d258e8232900",
        "event_type": event_type,
        "resource_type": "Company",
        "resource_uuid": COMPANY,
        "entity_type": "Payroll",
        "entity_uuid": PAYROLL,
        "timestamp": 1671058841,
        **changes,
    }


def signature(body: bytes, token: str = TOKEN) -> str:
    return hmac.new(token.encode(), body, sha256).hexdigest()
