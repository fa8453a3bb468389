"""Tables of the ledger. Django discovers them through these imports; import names from the files themselves."""

from ledger.models import account as account
from ledger.models import company as company
from ledger.models import token as token
from ledger.models import user as user
