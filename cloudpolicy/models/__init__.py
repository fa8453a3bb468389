"""Tables of the cloud policy. Django finds them by these imports; import names from the files themselves."""

from cloudpolicy.models import approval as approval
from cloudpolicy.models import cost_figure as cost_figure
from cloudpolicy.models import cursor as cursor
from cloudpolicy.models import exclusion as exclusion
from cloudpolicy.models import group_instance as group_instance
from cloudpolicy.models import group_size as group_size
from cloudpolicy.models import groups_seen as groups_seen
from cloudpolicy.models import held_resource as held_resource
from cloudpolicy.models import instance_price as instance_price
from cloudpolicy.models import kill_switch as kill_switch
from cloudpolicy.models import plan as plan
from cloudpolicy.models import plan_price as plan_price
from cloudpolicy.models import policy as policy
from cloudpolicy.models import run as run
from cloudpolicy.models import saving_score as saving_score
from cloudpolicy.models import standing as standing
from cloudpolicy.models import suspended_process as suspended_process
