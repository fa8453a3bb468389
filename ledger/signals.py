"""What the ledger tells the rest of the application."""

import django.dispatch

# Sent after a commit that moved a company's journal, with company_id= and position=, and after a balance or grant
# was stated (the position stands still then). It is a hint to look sooner: a receiver that fails or a process that
# dies loses it without harm, because readers keep cursors of their own.
journal_advanced = django.dispatch.Signal()
