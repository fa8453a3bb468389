"""The admin of the cloud policy. Django discovers it through these imports; import names from the files."""

from cloudpolicy.admin import exclusions as exclusions
from cloudpolicy.admin import held_resources as held_resources
from cloudpolicy.admin import kill_switch as kill_switch
from cloudpolicy.admin import plans as plans
from cloudpolicy.admin import policies as policies
from cloudpolicy.admin import prices as prices
from cloudpolicy.admin import suspended_processes as suspended_processes
