import pytest

from forecasting.fit.role import ADJUSTMENT, CREDIT, EXPENSE, INCOME, TRANSFER, Role, role_of, words_of


@pytest.mark.parametrize(
    ("event_type", "cash_in", "category", "counterparty", "role"),
    [
        (EXPENSE, False, "payroll", "Gusto", Role.PAYROLL),
        (EXPENSE, False, "Salaries & Wages", "", Role.PAYROLL),
        (EXPENSE, False, "payroll_tax", "IRS EFTPS", Role.PAYROLL_TAX),
        (EXPENSE, False, "Payroll remittance", "Receiver General", Role.PAYROLL_TAX),
        (EXPENSE, False, "Salaries", "HMRC", Role.PAYROLL_TAX),
        (EXPENSE, False, "Salaries", "Gusto Tax", Role.PAYROLL),
        (EXPENSE, False, "tax", "State Revenue Dept", Role.TAX),
        (EXPENSE, False, "", "Amazon Web Services AWS", Role.CLOUD),
        (EXPENSE, False, "software", "Gusto", Role.SUBSCRIPTION),
        (EXPENSE, False, "office rent", "Landlord", Role.RENT),
        (EXPENSE, False, "contractor", "Jane", Role.CONTRACTOR),
        (EXPENSE, False, "card", "Cafe", Role.SPENDING),
        (EXPENSE, False, "salaires", "Silae", Role.PAYROLL),
        (EXPENSE, False, "Löhne", "DATEV", Role.PAYROLL),
        (EXPENSE, False, "salaires_tax", "URSSAF", Role.PAYROLL_TAX),
        (EXPENSE, False, "Lohnsteuer", "Finanzamt", Role.PAYROLL_TAX),
        (EXPENSE, False, "TVA", "Impôts", Role.TAX),
        (EXPENSE, False, "Miete", "Hausverwaltung", Role.RENT),
        (EXPENSE, False, "subcontractors", "Studio 3", Role.CONTRACTOR),
        (EXPENSE, False, "Lön", "Lön Andersson", Role.PAYROLL),
        (EXPENSE, False, "Tredicesima", "Cumulativo", Role.PAYROLL),
        (EXPENSE, False, "Folha de pagamento", "", Role.PAYROLL),
        (EXPENSE, False, "Loonheffingen", "Belastingdienst", Role.PAYROLL_TAX),
        (EXPENSE, False, "Skatt och arbetsgivaravgifter", "Skatteverket", Role.PAYROLL_TAX),
        (EXPENSE, False, "F24 ritenute e INPS", "Agenzia delle Entrate", Role.PAYROLL_TAX),
        (EXPENSE, False, "Sozialversicherung", "Techniker Krankenkasse", Role.PAYROLL_TAX),
        (EXPENSE, False, "F24 IVA", "Agenzia delle Entrate", Role.TAX),
        (EXPENSE, False, "GST", "GSTN", Role.TAX),
        (EXPENSE, False, "Lokalhyra", "Vasakronan", Role.RENT),
        (EXPENSE, False, "Underkonsulter", "Hansen", Role.CONTRACTOR),
        (INCOME, True, "Nyemission", "Almi", Role.FUNDING),
        (INCOME, True, "Kapitalerhöhung", "Aktionäre", Role.FUNDING),
        (INCOME, True, "Dopłata do kapitału", "Wspólnik", Role.FUNDING),
        (INCOME, True, "Share issue", "Mercia Ventures", Role.FUNDING),
        (INCOME, True, "Revenue share", "Partner", Role.REVENUE),
        (EXPENSE, False, "Lønn", "Ansatte", Role.PAYROLL),
        (INCOME, True, "Incassi clienti", "Rossi", Role.INVOICED),
        (INCOME, True, "Umsatzerlöse", "Braun KG", Role.INVOICED),
        (EXPENSE, False, "", "", Role.OTHER),
        (INCOME, True, "revenue", "Stripe", Role.REVENUE),
        (INCOME, True, "enterprise", "Customer 1", Role.CONTRACT),
        (INCOME, True, "invoices", "Client 1", Role.INVOICED),
        (INCOME, True, "Series A funding", "Fund", Role.FUNDING),
        (INCOME, True, "shareholder contribution", "Founder", Role.FUNDING),
        (INCOME, True, "vendor_refund", "Vendor", Role.OTHER),
        (INCOME, True, "research grant", "Foundation", Role.GRANT),
        (INCOME, True, "Umsätze", "SumUp", Role.REVENUE),
        (ADJUSTMENT, False, "refund", "Stripe", Role.REFUND),
        (ADJUSTMENT, True, "correction", "", Role.OTHER),
        (CREDIT, True, "cloud", "AWS", Role.CLOUD_CREDIT),
        (TRANSFER, False, "payroll", "Wise", Role.TRANSFER),
    ],
)
def test_words_choose_the_model(event_type: int, cash_in: bool, category: str, counterparty: str, role: Role):
    found = role_of(event_type=event_type, cash_in=cash_in, category=category, counterparty=counterparty)
    assert found is role


def test_words_are_found_in_any_spelling():
    assert words_of("payroll_tax") == words_of("PayrollTax") == words_of("Payroll-TAX") == {"payroll", "tax"}
    assert "paypal" in words_of("PayPal Europe")
    assert "gocardless" in words_of("GoCardless Ltd")
