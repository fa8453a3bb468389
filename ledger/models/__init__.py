"""Tables of the ledger. Django discovers them through these imports; import names from the files themselves."""

from ledger.models import account as account
from ledger.models import company as company
from ledger.models import daily_flow as daily_flow
from ledger.models import event as event
from ledger.models import idempotency as idempotency
from ledger.models import import_file as import_file
from ledger.models import import_memory as import_memory
from ledger.models import source as source
from ledger.models import statement as statement
from ledger.models import token as token
from ledger.models import user as user
