"""How AWS's bills name hours of instances: `EU-SpotUsage:m5.large`, in hours.

https://docs.aws.amazon.com/cur/latest/userguide/Lineitem-columns.html. Surcharges of an instance, such as
`EBSOptimized:m5.large`, are hours too, and are not meant.
"""

TYPED = r"(?:^|-)(?:BoxUsage|SpotUsage|HeavyUsage|DedicatedUsage|HostBoxUsage):([a-z0-9-]+\.[a-z0-9-]+)$"
# What a line is about: the number of an instance, or a database by its whole ARN, since another account or another
# region may have one of the same name.
NAMED = r"""CASE WHEN l.resource ~ '^arn:[^:]*:rds:.*:db:' THEN l.resource
                    ELSE regexp_replace(l.resource, '^.*[/:]', '') END"""
# Databases: `EU-InstanceUsage:db.t3.micro`, and `Multi-AZUsage:db.t3.micro` where one stands in several zones.
DATABASE = r"(?:^|-)(?:InstanceUsage|Multi-AZUsage):(db\.[a-z0-9-]+\.[a-z0-9-]+)$"
MULTI_AZ = r"(?:^|-)Multi-AZUsage:"
HOURS = ("hrs", "hours", "hour", "hr", "h")
