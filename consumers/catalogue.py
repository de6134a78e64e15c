"""The systems of this company. `SAGA_SYSTEMS` names this mapping; the key is the system's name in the contracts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from consumers import erp, mail, portal, suppliers
from consumers.system import SystemFactory

__all__ = ["SYSTEMS"]

SYSTEMS: Mapping[str, SystemFactory] = MappingProxyType(
    {
        "erp": erp.build,
        "portal": portal.build,
        "mail": mail.build,
        "suppliers": suppliers.build,
    }
)
