"""How AWS's bills name hours of instances: `EU-SpotUsage:m5.large`, in hours.

https://docs.aws.amazon.com/cur/latest/userguide/Lineitem-columns.html. Surcharges of an instance, such as
`EBSOptimized:m5.large`, are hours too, and are not meant.
"""

TYPED = r"(?:^|-)(?:BoxUsage|SpotUsage|HeavyUsage|DedicatedUsage|HostBoxUsage):([a-z0-9-]+\.[a-z0-9-]+)$"
HOURS = ("hrs", "hours", "hour", "hr", "h")
