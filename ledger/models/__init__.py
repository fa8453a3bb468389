"""Tables of the ledger. Django discovers them through these imports; import names from the files themselves."""

from ledger.models import account as account
from ledger.models import category as category
from ledger.models import chain_verdict as chain_verdict
from ledger.models import closed_month as closed_month
from ledger.models import cloud_bill as cloud_bill
from ledger.models import company as company
from ledger.models import credit_note as credit_note
from ledger.models import daily_flow as daily_flow
from ledger.models import delivery as delivery
from ledger.models import endpoint as endpoint
from ledger.models import event as event
from ledger.models import idempotency as idempotency
from ledger.models import import_file as import_file
from ledger.models import import_memory as import_memory
from ledger.models import matching as matching
from ledger.models import pending_adjustment as pending_adjustment
from ledger.models import plaid as plaid
from ledger.models import provenance as provenance
from ledger.models import review as review
from ledger.models import seal as seal
from ledger.models import service_period as service_period
from ledger.models import settled_invoice as settled_invoice
from ledger.models import source as source
from ledger.models import statement as statement
from ledger.models import token as token
from ledger.models import user as user
