"""Where MySQL and Redis come from: five providers behind one async context manager."""

from __future__ import annotations

from labkit.services.provider import Probe
from labkit.services.providers import probe, provider_names, start_services
from labkit.services.services import ALL_CAPABILITIES, Capability, ServerControl, Services, providers_with
from labkit.services.threaded import isolated_services, services_in_lanes, services_in_thread

__all__ = [
    "ALL_CAPABILITIES",
    "Capability",
    "Probe",
    "ServerControl",
    "Services",
    "isolated_services",
    "probe",
    "provider_names",
    "providers_with",
    "services_in_lanes",
    "services_in_thread",
    "start_services",
]
