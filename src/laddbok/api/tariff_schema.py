"""What shape has a tariff that is posted, for whoever reads the API's own description?

It is made of the classes that a document is read into (`laddbok.model.tariff`), so that it can't lag behind them, and is as
loose as the reading is: numbers may be text, names of either OCPI version will do, and fields of OCPI that we don't use may
be there. It is told and never enforced: the reading itself names what is wrong, and it knows more than a shape.

>>> sorted(TARIFF_SCHEMA["required"]), TARIFF_SCHEMA["properties"]["elements"]["items"]["required"]
(['currency', 'id'], ['price_components'])
"""

from inspect import cleandoc
from typing import Annotated, Any

import msgspec
from litestar.enums import RequestEncodingType
from litestar.params import Body

from laddbok.model.tariff import Tariff

_OWN_FIELDS = {"Tariff": ("version",), "Restrictions": ("unknown",)}
"""What the reading adds, and no document says."""
_OF_221 = {"excl_vat": "before_taxes", "incl_vat": "after_taxes"}
_LOOSE = {"integer": ["integer", "string"], "decimal": ["number", "string"]}


def _tariff_schema() -> dict[str, Any]:
    _, shapes = msgspec.json.schema_components([Tariff], ref_template="{name}")
    for shape in shapes.values():
        shape["description"] = cleandoc(shape["description"])
    for name, fields in _OWN_FIELDS.items():
        for field in fields:
            del shapes[name]["properties"][field]
    limit = shapes["PriceLimit"]
    limit["properties"] |= {old: limit["properties"][new] for old, new in _OF_221.items()}
    limit["anyOf"] = [{"required": [name]} for name in ("before_taxes", "excl_vat")]
    del limit["required"]
    whole: dict[str, Any] = _whole(shapes["Tariff"], shapes)
    return whole


def _whole(node: Any, shapes: dict[str, Any]) -> Any:
    """A part of the schema with what it refers to in its place."""
    if isinstance(node, list):
        return [_whole(each, shapes) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _whole(shapes[node["$ref"]], shapes) | {key: value for key, value in node.items() if key != "$ref"}
    kind = node.get("format", node.get("type"))
    if isinstance(kind, str) and kind in _LOOSE:
        return {**node, "type": _LOOSE[kind]}
    return {key: _whole(value, shapes) for key, value in node.items()}


TARIFF_SCHEMA = _tariff_schema()
TariffDocument = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.JSON, schema_extra=TARIFF_SCHEMA)]
"""The body of a request that is a tariff; handlers read the text itself, in which numbers are exact."""
