"""What do we set on a station when it boots here for the first time?

Stations give up a transaction message after a few refused attempts; the default of many is three. A platform that
never refuses durable work wants them to go on trying, so the attempts are set high. A model that has no such setting
says so, and that is all right.

>>> [action for action, _ in first_settings(OcppVersion.V16)]
['ChangeConfiguration', 'ChangeConfiguration']
"""

import msgspec

from laddbok.ocpp.frame import OcppVersion

ATTEMPTS = "1000"
INTERVAL_S = "60"


def first_settings(version: OcppVersion) -> list[tuple[str, bytes]]:
    """(action, payload) of each command to send, in order.

    Source: OCPP 1.6 9.1.28, 9.1.29 (TransactionMessageAttempts, TransactionMessageRetryInterval); OCPP 2.0.1 Part 2
    Appendices, OCPPCommCtrlr MessageAttempts and MessageAttemptInterval.
    """
    if version is OcppVersion.V16:
        keys = {"TransactionMessageAttempts": ATTEMPTS, "TransactionMessageRetryInterval": INTERVAL_S}
        return [
            ("ChangeConfiguration", msgspec.json.encode({"key": key, "value": value})) for key, value in keys.items()
        ]
    variables = {"MessageAttempts": ATTEMPTS, "MessageAttemptInterval": INTERVAL_S}
    data = [
        {
            "attributeValue": value,
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": name, "instance": "TransactionEvent"},
        }
        for name, value in variables.items()
    ]
    return [("SetVariables", msgspec.json.encode({"setVariableData": data}))]
