"""What operators watch: `observability.yaml`, a nested stack, written whole by `make alarms`.

`table` lists what is counted in the logs and every alarm, `dashboard` the graphs. CloudFormation
reads no election file: the thresholds of each one (`watch`) become a mapping, in which an alarm
finds its number by the parameter `Election`.
"""
