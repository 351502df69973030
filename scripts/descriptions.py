#!/usr/bin/env python3
"""Writes static/descriptions.txt: what the Kubernetes API says of its types and fields, for `kubectl explain`.

usage: scripts/descriptions.py CRATE STAGING > static/descriptions.txt
where CRATE is the unpacked crate k8s-openapi 0.29 (Apache-2.0), which has them from the API's own
OpenAPI document, and STAGING is staging/src/k8s.io of a Kubernetes 1.36 checkout, which says what
the values of enumerations mean. Needed only when the API changes.

A type is `# Name`, its own description after a tab. Below it stands each field: its name, `!` if it
is required, a tab, its description. `= Name` is an enumeration; below it stand its values. Line
breaks are written `\\n`.
"""
import json, os, re, sys

ROOT = os.path.join(sys.argv[1], "src", "v1_36")
SCHEMA = os.path.join(os.path.dirname(__file__), "..", "src", "manifest", "schema.txt")
known = set(re.findall(r"^([\w.]+)(?:/\w+)?:(?: |$)", open(SCHEMA).read(), re.M))
# Versions by group, as the crate names groups; a type that several groups or versions have is
# `group.Type` where the schema calls it so.
GROUPS = {"core": ["v1"], "apps": ["v1"], "batch": ["v1"], "networking": ["v1"], "autoscaling": ["v2", "v1"],
          "policy": ["v1"], "rbac": ["v1"], "storage": ["v1"], "discovery": ["v1"], "scheduling": ["v1"],
          "coordination": ["v1"], "node": ["v1"], "admissionregistration": ["v1"], "certificates": ["v1"],
          "flowcontrol": ["v1"], "resource": ["v1"], "events": ["v1"], "apiextensions": ["v1"],
          "apiregistration": ["v1"], "meta": ["v1"], "authentication": ["v1"], "authorization": ["v1"]}
STRING = r'"((?:[^"\\]|\\.)*)"'
types = {}

def unquoted(text):
    return json.loads('"' + text.replace("\\'", "'") + '"').replace("\n", "\\n")

def optional(label, fields):
    """What the API server's own document does not require, although its Rust translation does."""
    found = {"metadata"} if "apiVersion" in fields else set()
    holds_reference = re.fullmatch(r"LocalObjectReference|(ConfigMap|Secret)(EnvSource|KeySelector|Projection)|ConfigMapVolumeSource", label)
    return found | ({"name"} if holds_reference else set())

for folder, _, names in sorted(os.walk(ROOT)):
    for name in sorted(names):
        text = open(os.path.join(folder, name)).read()
        found = re.search(r"^// Generated from definition io\.k8s\.(?:api|(?:apimachinery|apiextensions-apiserver|kube-aggregator)\.pkg\.apis)\.(\w+)\.(v\w+)\.(\w+)$", text, re.M)
        if not found or "json_schema!({" not in text:
            continue
        group, version, kind = found.groups()
        versions = GROUPS.get(group, [])
        prefixed = f"{group}.{kind}" in known and (len(versions) == 1 or version != versions[0])
        label = f"{group}.{kind}" if prefixed else kind
        if version not in versions or label not in known or label in types:
            continue
        schema = text[text.index("json_schema!({"):]
        own = re.match(r'json_schema!\(\{\n\s*"description": ' + STRING, schema)
        start = schema.find('"properties": {')
        fields = []
        if start >= 0:
            body = schema[start:]
            pattern = r'^ {16}"([^"]+)": (?:\{\n\s*"description": ' + STRING + r'|\(\{\n.*\n.*insert\("description"\.into\(\), ' + STRING + r'|)'
            for field in re.finditer(pattern, body, re.M):
                fields.append((field[1], field[2] or field[3] or ""))
        required = re.findall(r'"([^"]+)",', schema[schema.find('"required": ['):]) if '"required": [' in schema else []
        required = set(required) - optional(label, {name for name, _ in fields})
        types[label] = (unquoted(own[1]) if own else "", fields, required)

for name in ("quantity", "int_or_string", "time", "micro_time", "fields_v1", "raw_extension"):
    for folder, _, names in os.walk(ROOT):
        if name + ".rs" in names:
            text = open(os.path.join(folder, name + ".rs")).read()
            own = re.search(r'json_schema!\(\{\n\s*"description": ' + STRING, text)
            label = {"fields_v1": "FieldsV1"}.get(name, "".join(part.title() for part in name.split("_")))
            types[label] = (unquoted(own[1]) if own else "", [], set())

# Enumerations: types marked `+enum`, with the comments above their constants.
enums = {}
for group, versions in GROUPS.items():
    path = os.path.join(sys.argv[2], "api", {"meta": "."}.get(group, group), versions[0], "types.go")
    if not os.path.exists(path):
        continue
    text = open(path).read()
    marked = set(re.findall(r"// \+enum\n(?:// .*\n)*type (\w+) string", text))
    for found in re.finditer(r"((?:^\t//.*\n)*)^\t(\w+) +(\w+) += \"([^\"]*)\"", text, re.M):
        comment, constant, enum, value = found.groups()
        if enum in marked:
            lines = [line.strip()[2:].strip() for line in comment.strip().split("\n") if line.strip()]
            lines = [line for line in lines if not line.startswith("+")]
            enums.setdefault(enum, {})[value] = " ".join(lines).strip().removeprefix(constant + " ")

print("""// Descriptions of the Kubernetes API 1.36. Copyright The Kubernetes Authors, Apache License 2.0.""")
for label in sorted(types):
    own, fields, required = types[label]
    print(f"# {label}\t{own}")
    for name, description in fields:
        print(f"{name}{'!' if name in required else ''}\t{unquoted(description)}")
for enum in sorted(enums):
    print(f"= {enum}")
    for value in sorted(enums[enum]):
        print(f"{value}\t{enums[enum][value]}")
