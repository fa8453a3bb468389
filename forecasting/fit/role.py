"""What a payment is for, read from the words of its category, then of its counterparty.

Ledgers name things in their own way, so a role is a guess that only chooses a model. A wrong guess costs accuracy,
never correctness: every flow lands in exactly one model, and whatever no word explains is still fitted as a
recurring stream or as part of the variable pool.
"""

import re
from enum import IntEnum
from functools import lru_cache
from unicodedata import combining, normalize

import numpy as np
from numpy.typing import NDArray

from ledger.domain.flows import EVENT_TYPES

EXPENSE, INCOME, CREDIT, ADJUSTMENT, TRANSFER = range(len(EVENT_TYPES))


class Role(IntEnum):
    """The model a flow belongs to."""

    PAYROLL = 0
    PAYROLL_TAX = 1
    TAX = 2
    REVENUE = 3
    REFUND = 4
    CONTRACT = 5  # a year, or so, at a time
    CLOUD = 6
    CLOUD_CREDIT = 7
    SUBSCRIPTION = 8
    RENT = 9
    SPENDING = 10  # card and one-offs: variable by nature, never a stream
    CONTRACTOR = 11  # variable too, and however large never a lump
    FUNDING = 12
    TRANSFER = 13
    OTHER = 14
    INVOICED = 15  # customers who pay again and again, each time an invoice
    GRANT = 16  # paid in instalments that end, and nobody takes the giver's place


def has_role(role: NDArray[np.integer], *roles: Role) -> NDArray[np.bool_]:
    """bool [n]: whose role is one of these. A look into a table takes a tenth of the time of `np.isin`."""
    table = np.zeros(len(Role), dtype=bool)
    table[list(roles)] = True
    found: NDArray[np.bool_] = table[role]
    return found


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Accents are folded before words are compared: "Löhne" reads as "lohne".
SALES_TAX_WORDS = _words(
    "vat gst hst pst qst ust mwst umsatzsteuer vorsteuer tva iva btw moms mva alv dph pdv maam icms iss"
)
PAYROLL_WORDS = _words(
    "payroll salary salaries wage wages compensation paycheck gehalt gehalter gehaelter lohn lohne loehne salaire "
    "salaires paie nomina nominas sueldo sueldos salario salarios stipendi stipendio salaris salarissen lon lonen "
    "lonn loner palkat palkka ordenados folha wynagrodzenia wynagrodzenie mzdy maskorot tredicesima "
    "quattordicesima dertiende urlaubsgeld weihnachtsgeld vakantiegeld aguinaldo ferias semesterlon "
    "gusto deel rippling adp paychex paylocity justworks personio payfit onpay trinet"
)
# What employers pay on wages or keep back from them, and to whom.
WAGE_TAX_WORDS = _words(
    "withholding eftps paye nic payg fica futa suta urssaf cotisations prelevement lohnsteuer quellensteuer "
    "sozialversicherung sozialabgaben krankenkasse loonheffing loonheffingen arbetsgivaravgifter "
    "arbeidsgiveravgift inps ritenute irpf tgss fgts inss irrf ahv tds epf epfo esic zus superannuation emptx"
)
PAYROLL_TAX_WORDS = PAYROLL_WORDS | WAGE_TAX_WORDS
# What is passed on of wages, and to whom nobody works: with them a payroll is its tax.
PASSED_ON_WORDS = _words("remittance remittances deduction deductions liability liabilities levy levies")
TAX_WORDS = (
    _words(
        "tax taxes irs hmrc finanzamt steuer steuern gewerbesteuer impot impots belasting belastingdienst skatt "
        "skatteverket skattekonto imposta imposte impuesto impuestos bas"
    )
    | SALES_TAX_WORDS
    | WAGE_TAX_WORDS
)
CLOUD_WORDS = _words(
    "cloud aws amazonaws gcp azure hosting infrastructure infra compute heroku digitalocean hetzner ovh linode "
    "vultr iaas paas"
)
RENT_WORDS = _words(
    "rent rental lease landlord coworking wework regus miete mieten loyer loyers alquiler affitto huur hyra "
    "aluguel lokalhyra husleie leje czynsz schirut vuokra"
)
SUBSCRIPTION_WORDS = _words(
    "saas software subscription subscriptions tools tooling license licenses licence licences apps abo abos "
    "abonnement abonnements abbonamenti logiciel logiciels lizenzen suscripciones programvara oprogramowanie "
    "tochna"
)
CONTRACTOR_WORDS = _words(
    "contractor contractors freelance freelancer freelancers consultant consultants consulting upwork "
    "subcontractor subcontractors subunternehmer freiberufler fremdleistungen prestataire prestataires "
    "prestadores colaboradores autonomo collaboratori underkonsulter podwykonawcy zzp"
)
SPENDING_WORDS = _words(
    "card cards travel meals oneoff off misc miscellaneous equipment hardware capex recruiting reimbursement "
    "reise reisen deplacements viajes viagens resor reiskosten podroze"
)
FUNDING_WORDS = _words(
    "funding investment investor investors equity tranche safe seed financing capital fundraise fundraising loan "
    "debt venture convertible shareholder shareholders owner owners kapitalerhohung kapitaleinzahlung einlage "
    "darlehen augmentation aumento capitale ampliacion prestamo aporte emprestimo storting aandelenkapitaal "
    "lening nyemission emisjon aktieagartillskott kapitalu pozyczka"
)
# Words that mean money for shares together, and anything alone.
FUNDING_PHRASES = tuple(
    frozenset(phrase.split())
    for phrase in ("share issue", "shares issue", "shares issued", "rights issue", "stock issue", "stock issuance")
)
PROCESSOR_WORDS = _words(
    "stripe paypal shopify adyen braintree paddle gocardless mollie sumup klarna worldpay fastspring razorpay "
    "payu przelewy24 checkout"
)
REVENUE_WORDS = PROCESSOR_WORDS | _words(
    "revenue sales sale mrr payout payouts processor charges subscription "
    "subscriptions ecommerce usage orders takings umsatz umsatze "
    "erlose ventes ventas omzet forsaljning sprzedaz proceeds donation donations spenden dons"
)
CONTRACT_WORDS = _words("enterprise contract contracts annual yearly license licence licenses licences")
INVOICED_WORDS = _words(
    "invoice invoices invoiced b2b customer customers client clients retainer retainers wholesale dealer dealers "
    "receivable receivables project projects fees services rechnung rechnungen facture factures "
    "honoraires facturas debitoren kunden umsatzerlose clients cobros clientes incassi clienti "
    "boleto boletos klanten debiteuren kundinbetalning kundinbetalningar kundbetalning"
)
GRANT_WORDS = _words(
    "grant grants subsidy subsidies subvention subventions zuschuss zuschusse fordermittel forschungszulage "
    "subsidie bidrag dotacja contributo subvencion subvencao innosuisse"
)
# Paid to those who leave, once.
SEVERANCE_WORDS = _words(
    "severance redundancy termination final pto abfindung abfindungen indemnite indemnites licenciement rescisao "
    "finiquito liquidazione odprawa transactievergoeding avgangsvederlag"
)
REFUND_WORDS = _words("refund refunds chargeback chargebacks dispute disputes")


@lru_cache(maxsize=65536)
def role_of(*, event_type: int, cash_in: bool, category: str, counterparty: str) -> Role:
    """The role of one kind of flow; `event_type` is a code of ledger.domain.flows."""
    if event_type == TRANSFER:
        return Role.TRANSFER
    if event_type == CREDIT:
        return Role.CLOUD_CREDIT
    by_category, by_counterparty = words_of(category), words_of(counterparty)
    if event_type == ADJUSTMENT:
        refunds_revenue = not cash_in and (by_category | by_counterparty) & REFUND_WORDS
        return Role.REFUND if refunds_revenue else Role.OTHER
    read = _income if cash_in else _expense
    role = read(by_category)
    if role is Role.PAYROLL and by_counterparty & TAX_WORDS and not by_counterparty & PAYROLL_WORDS:
        return Role.PAYROLL_TAX  # booked as wages and paid to the tax office
    # A category that says something decides alone; "Gusto" in a category "software" is a subscription.
    return role if role is not Role.OTHER or by_category & REFUND_WORDS else read(by_counterparty)


# Letters that are no letter and an accent to Unicode.
_WITHOUT_ACCENT = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"}
)


@lru_cache(maxsize=65536)
def words_of(text: str) -> frozenset[str]:
    """Lower-case words without accents; `payroll_tax` and `PayrollTax` read alike. `PayPal` is `paypal` too."""
    folded = "".join(
        letter for letter in normalize("NFKD", text.translate(_WITHOUT_ACCENT)) if not combining(letter)
    )
    parts = frozenset(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|\d+", folded))
    return parts | PROCESSOR_WORDS.intersection(word.lower() for word in re.findall(r"[A-Za-z]+", folded))


def _expense(words: frozenset[str]) -> Role:
    if words & TAX_WORDS:
        return Role.PAYROLL_TAX if words & PAYROLL_TAX_WORDS else Role.TAX
    if words & PASSED_ON_WORDS and words & PAYROLL_WORDS:
        return Role.PAYROLL_TAX
    for role, known in (
        (Role.PAYROLL, PAYROLL_WORDS),
        (Role.CLOUD, CLOUD_WORDS),
        (Role.RENT, RENT_WORDS),
        (Role.SUBSCRIPTION, SUBSCRIPTION_WORDS),
        (Role.CONTRACTOR, CONTRACTOR_WORDS),
        (Role.SPENDING, SPENDING_WORDS),
        (Role.REFUND, REFUND_WORDS),
    ):
        if words & known:
            return role
    return Role.OTHER


def _income(words: frozenset[str]) -> Role:
    if words & REFUND_WORDS:
        return Role.OTHER
    if words & GRANT_WORDS:
        return Role.GRANT
    if any(phrase <= words for phrase in FUNDING_PHRASES):
        return Role.FUNDING
    for role, known in (
        (Role.FUNDING, FUNDING_WORDS),
        (Role.CONTRACT, CONTRACT_WORDS),
        (Role.INVOICED, INVOICED_WORDS),
        (Role.REVENUE, REVENUE_WORDS),
    ):
        if words & known:
            return role
    return Role.OTHER
