"""The admin of the cloud policy. Django discovers it through these imports; import names from the files."""

from cloudpolicy.admin import policies as policies
from cloudpolicy.admin import prices as prices
