"""Is a transaction over, and does the station still keep messages about it?

A 2.0.1 station that came back can be asked so that nobody has to guess: "ended, awaiting final" is not "lost". The answer
names no transaction, so it is read together with our question.

>>> action, payload = question("tx-1")
>>> action, payload
('GetTransactionStatus', b'{"transactionId":"tx-1"}')
>>> told(b'[2,"7","GetTransactionStatus",{"transactionId":"tx-1"}]', b'[3,"7",{"ongoingIndicator":false,"messagesInQueue":true}]')
TransactionStatusTold(transaction_id='tx-1', is_ongoing=False, has_messages=True)
"""

import msgspec

from laddbok.model.events import TransactionStatusTold
from laddbok.ocpp.frame import Call, CallResult, OcppVersion, parse

ACTION = "GetTransactionStatus"


class _Question(msgspec.Struct, rename="camel"):
    transaction_id: str


class _Answer(msgspec.Struct, rename="camel"):
    messages_in_queue: bool
    ongoing_indicator: bool | None = None


def question(transaction_id: str) -> tuple[str, bytes]:
    """(action, payload) of the command that asks. Source: OCPP 2.0.1 E14, GetTransactionStatusRequest."""
    return ACTION, msgspec.json.encode(_Question(transaction_id))


def told(asked: bytes, answered: bytes) -> TransactionStatusTold | None:
    """What the station's answer says of the transaction that we asked about; None: nothing that can be read.

    Args: asked, answered: the two frames, verbatim. Source: OCPP 2.0.1 E14, GetTransactionStatusResponse; case S24.
    """
    call, result = parse(asked, OcppVersion.V201), parse(answered, OcppVersion.V201)
    if not (isinstance(call, Call) and isinstance(result, CallResult)):
        return None
    try:
        about = msgspec.json.decode(call.payload, type=_Question)
        answer = msgspec.json.decode(result.payload, type=_Answer)
    except msgspec.DecodeError:
        return None
    return TransactionStatusTold(
        transaction_id=about.transaction_id,
        is_ongoing=answer.ongoing_indicator,
        has_messages=answer.messages_in_queue,
    )
