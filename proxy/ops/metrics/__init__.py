"""What a dashboard scrapes: counters and times of finished requests, gauges of what is under way."""

from proxy.ops.metrics.labels import list_models
from proxy.ops.metrics.metrics import Metrics

__all__ = ["Metrics", "list_models"]
