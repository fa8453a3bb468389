"""The admin of the ledger. Django discovers it through these imports; import names from the files themselves."""

from ledger.admin import accounts as accounts
from ledger.admin import categories as categories
from ledger.admin import closed_months as closed_months
from ledger.admin import companies as companies
from ledger.admin import deliveries as deliveries
from ledger.admin import endpoints as endpoints
from ledger.admin import events as events
from ledger.admin import import_files as import_files
from ledger.admin import import_memory as import_memory
from ledger.admin import memberships as memberships
from ledger.admin import pending_adjustments as pending_adjustments
from ledger.admin import plaid as plaid
from ledger.admin import statements as statements
from ledger.admin import tokens as tokens
from ledger.admin import users as users
