"""Write the operations that a vendor's OpenAPI document names: ``make operations SPECS=<folder>``.

The folder holds the documents under the names in `DOCUMENTS`. What is written is meant to be read: names, paths and
types, and no word of the vendor's prose. Review the difference before it is committed.
"""

from __future__ import annotations

import json
import keyword
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

ROOT = Path(__file__).parent.parent
METHODS = ("get", "post", "put", "patch", "delete")
#: texts in a form that can be checked
FORMATS = {"date": "Day", "date-time": "Moment"}
#: what the written files import
IMPORTED = frozenset(
    {"Annotated", "Any", "Body", "Day", "Field", "Literal", "Moment", "Operation", "Required"}
)
#: parts of every body of JSON:API, which say nothing of what is in them
ENVELOPE = frozenset({"Data", "Attributes", "Relationships"})
PLAIN = {"integer": "int", "number": "float", "boolean": "bool", "object": "dict[str, Any]"}
#: a set of query parameters that so many operations share stands once, under a name
MIN_SHARED = 3
#: names that a pydantic model has already
TAKEN = frozenset(dir(BaseModel))


@dataclass(frozen=True)
class Document:
    """One vendor's document, and what it does not say in a form that a program reads."""

    provider: str
    file: str
    title: str
    #: paths of keys, users and accounts: what they change locks people out or costs money
    dangerous: tuple[str, ...]
    #: what a set of shared query parameters is called, by the first of them
    sets: dict[str, str]
    #: paths of which a GET changes something, and of which the answer is no JSON: a file, or nothing at all
    changing: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    #: the parameter with which a change leaves alone what is not sent: a convention that the document names once for
    #: all, and among the parameters of none
    partial: str = ""


#: paths whose answer is a new secret
_GIVES_SECRET = frozenset({"/change_auth_key"})
DOCUMENTS = (
    Document(
        provider="onepagecrm",
        file="onepagecrm.openapi.yaml",
        title="OnePageCRM",
        dangerous=("/change_auth_key", "/users/"),
        sets={
            "page": "PAGES",
            "since": "PERIOD",
            "modified_since": "CHANGED",
            "date_filter": "DATES",
            "assignee_id": "OF_ACTIONS",
            "stage": "OF_DEALS",
            "tag": "TAGGED",
            "phone": "OF_PEOPLE",
            "team": "OF_CONTACTS",
        },
        partial="partial",
    ),
    Document(
        provider="commanders_act",
        file="commanders_act.openapi.json",
        title="Commanders Act",
        dangerous=("/admin/",),
        sets={"page": "PAGES"},
        changing=("/privacy/cookie-scanner/{version}/deploy",),
        files=(
            "/privacy/cookie-scanner/{version}/deploy",
            "/privacy/cookie-scanner/{version}/{format}/exports/{language}",
        ),
    ),
)


@dataclass
class Writer:
    """Turns the schemas of one document into the Python of one file: types, and classes for objects."""

    document: dict[str, Any]
    #: text of each class by its name, in the order in which they must stand
    classes: dict[str, str] = field(default_factory=dict)
    #: words that a field may hold, and texts of a greatest length, by the name of their type
    aliases: dict[str, str] = field(default_factory=dict)

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return what a reference inside the document points to."""
        while "$ref" in schema:
            found: Any = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            schema = found
        return schema

    def type_of(self, schema: dict[str, Any], name: str, owner: str) -> str:
        """Return the Python type of a schema.

        An object becomes a class, and a choice of words a type, of that name; where the name is taken
        the owner's stands before it.
        """
        if name in ENVELOPE:
            name = owner + name
        if "$ref" in schema and "/properties/" not in schema["$ref"]:
            name = camel(schema["$ref"].split("/")[-1])
        schema = self.resolve(schema)
        found = self._plain_type(schema, name, owner)
        return f"{found} | None" if schema.get("nullable") else found

    def _plain_type(self, schema: dict[str, Any], name: str, owner: str) -> str:
        if "allOf" in schema:
            return self._plain_type(self._merged(schema["allOf"]), name, owner)
        for choice in ("oneOf", "anyOf"):
            if choice in schema:
                kinds = [self.type_of(each, name, owner) for each in schema[choice]]
                return " | ".join(dict.fromkeys(kinds))
        if schema.get("properties"):
            return self._class(schema, name, owner)
        kind = schema.get("type")
        if kind == "array":
            return self._list(schema, name, owner)
        if kind == "string":
            return self._text(schema, name, owner)
        if kind == "integer" and schema.get("enum"):
            return self._named(self.aliases, name, owner, literal(schema["enum"]))
        return PLAIN.get(str(kind), "Any")

    def _merged(self, parts: list[dict[str, Any]]) -> dict[str, Any]:
        merged: dict[str, Any] = {"properties": {}, "required": []}
        for part in parts:
            resolved = self.resolve(part)
            merged["properties"] |= resolved.get("properties", {})
            merged["required"] += resolved.get("required", [])
        return merged

    def _list(self, schema: dict[str, Any], name: str, owner: str) -> str:
        of = self.type_of(schema.get("items", {}), singular(name), owner)
        limits = limits_of(schema, "minItems", "maxItems")
        return f"Annotated[list[{of}], Field({limits})]" if limits else f"list[{of}]"

    def _text(self, schema: dict[str, Any], name: str, owner: str) -> str:
        values = [value for value in schema.get("enum", ()) if value is not None]
        if len(values) > 1:
            return self._named(self.aliases, name, owner, literal(values))
        if values:
            return literal(values)
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        limits = limits_of(schema, "minLength", "maxLength")
        if not limits:
            return "str"
        name = "Text" + "To".join(re.findall(r"\d+", limits))
        return self._named(self.aliases, name, owner, f"Annotated[str, Field({limits})]")

    def _class(self, schema: dict[str, Any], name: str, owner: str) -> str:
        required = set(schema.get("required", ()))
        lines = [
            self._field(key, each, name, required=key in required)
            for key, each in schema["properties"].items()
        ]
        # required by a document that does not describe it: it may be given, and is not asked for
        lines += [
            self._field(key, {}, name, required=False)
            for key in sorted(required - schema["properties"].keys())
        ]
        return self._named(self.classes, name, owner, "\n".join(f"    {line}" for line in lines))

    def _named(self, known: dict[str, str], name: str, owner: str, text: str) -> str:
        """Return the name of what is written so: of what is there already, or a new one."""
        for other, written in known.items():
            if written == text:
                return other
        longer = owner if owner.endswith(name) else owner + name
        names = [name, longer, *(f"{longer}{number}" for number in range(2, 100))]
        taken = IMPORTED | self.classes.keys() | self.aliases.keys()
        chosen = next(each for each in names if each not in taken)
        known[chosen] = text
        return chosen

    def _field(self, key: str, schema: dict[str, Any], owner: str, *, required: bool) -> str:
        python = python_name(key)
        # the envelope of JSON:API would make every name twice as long
        short = re.sub("(Data|Attributes|Relationships)+$", "", owner)
        kind = self.type_of(schema, camel(key), short)
        alias = f'alias="{key}"' if python != key else ""
        if required:
            return f"{python}: {kind} = Field({alias})" if alias else f"{python}: {kind}"
        optional = kind if kind.endswith("| None") or kind == "Any" else f"{kind} | None"
        return (
            f"{python}: {optional} = Field(None, {alias})"
            if alias
            else f"{python}: {optional} = None"
        )


def limits_of(schema: dict[str, Any], shortest: str, longest: str) -> str:
    """Return the limits of a length as arguments of `Field`; one document writes maxlength small."""
    found = {
        "min_length": schema.get(shortest),
        "max_length": schema.get(longest, schema.get(longest.lower())),
    }
    return ", ".join(f"{name}={value}" for name, value in found.items() if value)


def literal(values: list[Any]) -> str:
    words = ", ".join(json.dumps(value, ensure_ascii=False) for value in dict.fromkeys(values))
    return f"Literal[{words}]"


def camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))


def singular(name: str) -> str:
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name.removesuffix("s")


def python_name(key: str) -> str:
    """Return a field's name in Python: the vendor's own, made an identifier that nothing else has."""
    name = snake(re.sub(r"\W+", "_", key).strip("_"))
    return f"{name}_" if keyword.iskeyword(name) or name in TAKEN else name


def snake(operation_id: str) -> str:
    """Return a vendor's operationId in snake_case; a verb that the vendor wrote small begins a word as well."""
    parted = re.sub(
        r"(?<=[a-z0-9])(?=(?:index|show|store|update|destroy|delete|revert)$)", "_", operation_id
    )
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", parted)
    return re.sub(r"_+", "_", parted).lower()


@dataclass
class Declared:
    """One operation of a document, as it will stand in the file."""

    name: str
    method: str
    path: str
    query: dict[str, str]
    path_types: dict[str, str]
    body: str
    writes: bool
    binary: bool
    dangerous: bool
    deprecated: bool


def declared(document: Document, words: Writer, bodies: Writer) -> Iterator[Declared]:
    """Yield every operation of the document; the types of its parameters go to one file, its bodies to another."""
    for path, item in words.document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            described = item[method]
            name = snake(described.get("operationId") or camel(path))
            given = [*item.get("parameters", []), *described.get("parameters", [])]
            parameters = [words.resolve(each) for each in given]
            body = body_type(described, bodies, name)
            query = query_types(parameters, words, name)
            # it takes the fields of the one record that its path names
            changes_a_record = method == "put" and bool(body) and path.endswith("}")
            if document.partial and changes_a_record:
                query[document.partial] = "bool"
            yield Declared(
                name=name,
                method=method,
                path=path,
                query=query,
                path_types=path_types(parameters, words),
                body=body,
                writes=method == "get" and path in document.changing,
                binary=path in document.files,
                dangerous=method != "get" and path.startswith(document.dangerous),
                deprecated=bool(described.get("deprecated")),
            )


def query_types(parameters: list[dict[str, Any]], words: Writer, operation: str) -> dict[str, str]:
    """Return the type of each query parameter; the key that signs the request is not one of them."""
    found = {}
    for each in parameters:
        if each["in"] != "query" or each["name"] == "token":
            continue
        schema = each.get("schema", {})
        kind = words.type_of(schema, camel(each["name"]), camel(operation))
        found[each["name"]] = f"Required[{kind}]" if each.get("required") else kind
    return found


def path_types(parameters: list[dict[str, Any]], words: Writer) -> dict[str, str]:
    """Return the type of each part of the path that is not text."""
    kinds = {
        each["name"]: words.type_of(each.get("schema", {}), "", "")
        for each in parameters
        if each["in"] == "path"
    }
    return {name: kind for name, kind in kinds.items() if kind != "str"}


def body_type(described: dict[str, Any], bodies: Writer, operation: str) -> str:
    """Return the type of the body, or nothing; what is created and what is updated are called alike."""
    content = described.get("requestBody", {}).get("content", {})
    name = re.sub(r"^(Create|Update|Add)|(Store|Update)$", "", camel(operation))
    for kind in content.values():
        return bodies.type_of(kind.get("schema", {}), name, camel(operation))
    return ""


def shared_sets(document: Document, operations: list[Declared]) -> dict[str, dict[str, str]]:
    """Return the sets of query parameters that several operations share, by name: PAGES, PERIOD and so on."""
    pairs = Counter(pair for each in operations for pair in each.query.items())
    together: dict[frozenset[int], list[tuple[str, str]]] = {}
    for pair in pairs:
        holders = frozenset(
            index for index, each in enumerate(operations) if pair in each.query.items()
        )
        together.setdefault(holders, []).append(pair)
    sets = {}
    for holders, shared in together.items():
        if len(shared) > 1 and len(holders) >= MIN_SHARED:
            first = shared[0][0]
            sets[document.sets.get(first, python_name(first).upper())] = dict(shared)
    return sets


def shown(document: Document, each: Declared, sets: dict[str, dict[str, str]]) -> str:
    """Return the declaration of one operation."""
    parts = [f'"{each.name}"', f'"{each.path}"']
    if each.path_types:
        parts.append(f"parts={entries(each.path_types)}")
    if each.query:
        parts.append(f"query={shown_query(each.query, sets)}")
    if each.body:
        parts.append(f"body=bodies.{each.body}")
    if each.writes:
        parts.append("writes=True")
    if each.binary:
        parts.append("binary=True")
    if document.partial in each.query:
        parts.append("defaults=PARTIALLY")
    if each.method == "delete" and "undo" in each.query:
        parts.append('restored_by="undo"')
    if each.dangerous:
        parts.append("dangerous=True")
    if each.path in _GIVES_SECRET:
        parts.append("gives_secret=True")
    if each.deprecated:
        parts.append("deprecated=True")
    return f"{each.method}({', '.join(parts)})"


def shown_query(query: dict[str, str], sets: dict[str, dict[str, str]]) -> str:
    left = dict(query)
    parts = []
    for name, shared in sets.items():
        if shared.items() <= query.items():
            parts.append(name)
            left = {key: kind for key, kind in left.items() if key not in shared}
    if left:
        parts.append(entries(left))
    return " | ".join(parts)


def entries(types: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": {kind}' for name, kind in types.items()) + "}"


HEADER = """\"\"\"{about}, written by `make operations` from the vendor's OpenAPI document, version {version}.\"\"\"

"""


def write(document: Document, folder: Path) -> None:
    """Replace the files of one provider."""
    text = (folder / document.file).read_text(encoding="utf-8")
    specification = json.loads(text) if document.file.endswith(".json") else yaml.safe_load(text)
    words = Writer(specification)
    bodies = Writer(specification)
    operations = list(declared(document, words, bodies))
    version = specification["info"]["version"]
    header = HEADER.format(about=f"What {document.title} takes", version=version)
    target = ROOT / "crmlab" / "providers" / document.provider
    (target / "bodies.py").write_text(header + _bodies(bodies), encoding="utf-8")
    header = HEADER.format(about=f"What {document.title} can be asked", version=version)
    (target / "operations.py").write_text(
        header + _operations(document, operations, words), encoding="utf-8"
    )
    for command in (["check", "--fix-only"], ["format"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, "--quiet", target], check=True)  # noqa: S603


def _bodies(bodies: Writer) -> str:
    parts = ["from typing import Annotated, Any, Literal\n\n", "from pydantic import Field\n\n"]
    parts.append("from crmlab.connector.arguments import Body, Day, Moment\n\n")
    parts += _aliases(bodies)
    parts += [f"\n\nclass {name}(Body):\n{body}\n" for name, body in bodies.classes.items()]
    return "".join(parts)


def _operations(document: Document, operations: list[Declared], words: Writer) -> str:
    sets = shared_sets(document, operations)
    parts = ["from typing import Any, Literal, Required\n\n", "from pydantic import Field\n\n"]
    parts.append("from crmlab.connector.arguments import Body, Day, Moment\n")
    parts.append(
        "from crmlab.connector.operation import Operation, delete, get, patch, post, put\n"
    )
    parts.append(f"from crmlab.providers.{document.provider} import bodies\n\n")
    parts += _aliases(words)
    parts += [f"\n\nclass {name}(Body):\n{body}\n\n" for name, body in words.classes.items()]
    parts += [f"{name} = {entries(shared)}\n" for name, shared in sets.items()]
    if document.partial:
        parts.append("#: changes only what is sent: without it, what is left out may be cleared\n")
        parts.append(f'PARTIALLY = {{"{document.partial}": True}}\n')
    parts.append("\nOPERATIONS: tuple[Operation, ...] = (\n")
    parts += [f"    {shown(document, each, sets)},\n" for each in operations]
    parts.append(")\n")
    return "".join(parts)


def _aliases(writer: Writer) -> list[str]:
    return [f"{name} = {text}\n" for name, text in writer.aliases.items()]


if __name__ == "__main__":
    for each in DOCUMENTS:
        write(each, Path(sys.argv[1]))
