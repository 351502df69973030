#!/usr/bin/env python3
"""Writes src/manifest/schema.txt: the types and fields of the Kubernetes API, from its Go sources.

usage: scripts/schema.py STAGING > src/manifest/schema.txt
where STAGING is staging/src/k8s.io of a Kubernetes 1.36 checkout. Needed only when the API changes.

A line is one type: `Name: field type, field type, …`. A type is a Go type; `*` before it a pointer,
`[]` a list, `{}` a map by name. After the type, `!` says that the field is written even when empty,
`@key` by which of its fields a list is merged, `@` that it is merged by value, `@!` that a patch
replaces the whole, `~` that a patch may name the keys that stay. `%a+b` says that a server-side apply
merges a list by these fields, `%` by value, `%!` that list, map or structure belong to one manager as a
whole; without it a list is merged as by a patch, or belongs to one manager if patches do not merge it.
Then ` ^Name` if the field comes from a structure of that name that is part of this one. `Name%:` is a
structure that belongs to one manager as a whole. `Name = type` is a named basic type, and
`Name = string: A B` one with these values. `Name/v2` is a type of a package of that name where
that is not `v1`.
"""
import re, sys, os

STAGING = sys.argv[1]
FILES = ["core/v1", "apps/v1", "batch/v1", "networking/v1", "autoscaling/v2", "autoscaling/v1", "policy/v1",
         "rbac/v1", "storage/v1", "discovery/v1", "scheduling/v1", "coordination/v1", "node/v1",
         "admissionregistration/v1", "certificates/v1", "flowcontrol/v1", "resource/v1", "events/v1",
         "authentication/v1", "authorization/v1"]
OTHERS = {"apiextensions/v1": "apiextensions-apiserver/pkg/apis/apiextensions/v1",
          "apiregistration/v1": "kube-aggregator/pkg/apis/apiregistration/v1"}
KINDS = """Pod ReplicationController PodTemplate Service Endpoints ConfigMap Secret ServiceAccount
Event Namespace Node PersistentVolume PersistentVolumeClaim ResourceQuota LimitRange Deployment
ReplicaSet StatefulSet DaemonSet ControllerRevision Job CronJob EndpointSlice Ingress IngressClass
NetworkPolicy HorizontalPodAutoscaler PodDisruptionBudget PriorityClass StorageClass Lease Role
ClusterRole RoleBinding ClusterRoleBinding CustomResourceDefinition APIService CSIDriver CSINode
CSIStorageCapacity VolumeAttachment VolumeAttributesClass RuntimeClass ValidatingWebhookConfiguration
MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding
MutatingAdmissionPolicy MutatingAdmissionPolicyBinding CertificateSigningRequest FlowSchema
PriorityLevelConfiguration IPAddress ServiceCIDR ResourceClaim ResourceClaimTemplate DeviceClass
ResourceSlice Binding ComponentStatus TokenReview SelfSubjectReview SubjectAccessReview
SelfSubjectAccessReview LocalSubjectAccessReview SelfSubjectRulesReview""".split()
# Kinds whose names others have as well.
MORE = [("events/v1", "Event"), ("autoscaling/v1", "HorizontalPodAutoscaler"), ("resource/v1", "ResourceClaim")]
# Types whose JSON is not their Go structure.
SPECIAL = {"Quantity", "IntOrString", "Time", "MicroTime", "RawExtension", "FieldsV1", "Duration", "JSON",
           "JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray"}

structs, named, values, home = {}, {}, {}, {}
whole = set()

def read(folder, package):
    text = ""
    for name in sorted(os.listdir(folder)):
        if name.endswith(".go") and (name.startswith("types") or name == "controller_ref.go") and "swagger" not in name:
            text += open(os.path.join(folder, name)).read() + "\n"
    for match in re.finditer(r"^type (\w+) struct ?\{(?:\n(.*?)^)?\}", text, re.M | re.S):
        structs[(package, match[1])] = match[2] or ""
        above = re.search(r"((?:^//[^\n]*\n|^\n)+)\Z", text[:match.start()], re.M)
        if above and "+structType=atomic" in above[1].split("\n\n")[-1]:
            whole.add((package, match[1]))
    for match in re.finditer(r"^type (\w+) ((?:map\[\w+\]|\[\])?[\w.]+)$", text, re.M):
        named[(package, match[1])] = match[2]
    for match in re.finditer(r"^\t(\w+)\s+(\w+)\s+=\s+\"([^\"]*)\"", text, re.M):
        values.setdefault((package, match[2]), []).append(match[3])

for folder in FILES:
    read(os.path.join(STAGING, "api", folder), folder)
for package, folder in OTHERS.items():
    read(os.path.join(STAGING, folder), package)
read(os.path.join(STAGING, "apimachinery/pkg/apis/meta/v1"), "meta/v1")

def find(name, package):
    """The package of a type that a package names."""
    if "." in name:
        prefix, name = name.split(".")
        where = {"v1": "core/v1", "apiv1": "core/v1", "metav1": "meta/v1", "corev1": "core/v1"}.get(prefix)
        return (where, name) if where else (None, name)
    return (package, name)

out, names = {}, {}

def label(key):
    package, name = key
    taken = names.setdefault(name, key)
    return name if taken == key else package.split("/")[0] + "." + name

def type_text(go, package, todo):
    if go.startswith("*"):
        return "*" + type_text(go[1:], package, todo)
    if go == "[]byte":
        return "bytes"
    if go.startswith("[]"):
        return "[]" + type_text(go[2:], package, todo)
    match = re.match(r"map\[[\w.]+\](.*)", go)
    if match:
        return "{}" + type_text(match[1], package, todo)
    bare = go.split(".")[-1]
    if bare in SPECIAL:
        return bare
    if bare in ("string", "bool", "int32", "int64", "float64", "uint8", "UID"):
        return bare
    key = find(go, package)
    if key in named:
        under = named[key]
        if re.match(r"(map|\[\])", under):
            return type_text(under, key[0], todo)
        todo.append(key)
        return label(key)
    if key in structs:
        todo.append(key)
        return label(key)
    return "JSON"

def ownership(marks, go, flags):
    """What a server-side apply makes of a field, where that is not what its patch strategy says."""
    kind = re.search(r"\+listType=(\w+)", marks)
    merged = re.search(r"@(\w*)$", flags)
    usual = "!" if merged is None else merged[1]
    if kind is None:
        if re.search(r"\+(mapType|structType)=atomic", marks):
            return "%!"
        return "%!" if go.startswith("[]") and go != "[]byte" and usual != "!" else ""
    keys = "+".join(sorted(re.findall(r"\+listMapKey=(\w+)", marks)))
    mark = {"map": keys, "set": "", "atomic": "!"}[kind[1]]
    return "" if mark == usual else "%" + mark

def fields(key, todo):
    package, name = key
    result = []
    said = ""
    for line in structs[key].split("\n"):
        if re.match(r"\s*//", line):
            said += line.strip() + "\n"
            continue
        match = re.match(r"\s*(?:(\w+)\s+)?([*\[\]\w.]+)\s+`([^`]*)`", line)
        if not match:
            if not line.strip():
                said = ""
            continue
        go_name, go, tags = match.groups()
        marks, said = said, ""
        json = re.search(r'json:"([^"]*)"', tags)
        if not json:
            continue
        parts = json[1].split(",")
        if "inline" in parts or parts[0] == "" and go_name is None:
            if go.endswith("TypeMeta"):
                result += [("apiVersion", "string", ""), ("kind", "string", "")]
            else:
                inner = find(go, package)
                result += [(name, kind, flags if "^" in flags else "%s ^%s" % (flags, inner[1]))
                           for name, kind, flags in fields(inner, todo)]
            continue
        flags = "" if "omitempty" in parts or "omitzero" in parts else "!"
        strategy, merge = re.search(r'patchStrategy:"([^"]*)"', tags), re.search(r'patchMergeKey:"([^"]*)"', tags)
        if strategy and "retainKeys" in strategy[1]:
            flags += "~"
        if strategy and "replace" in strategy[1]:
            flags += "@!"
        if strategy and "merge" in strategy[1]:
            flags += "@" + (merge[1] if merge else "")
        result.append((parts[0], type_text(go, package, todo), flags + ownership(marks, go, flags)))
    return result

# `SetAsOwner`'s kin have no place in the table; kinds come first so that they keep their bare names.
home = {}
for kind in KINDS:
    for folder in FILES + list(OTHERS):
        if (folder, kind) in structs and kind not in home:
            home[kind] = (folder, kind)
            names[kind] = (folder, kind)
names["ObjectMeta"] = ("meta/v1", "ObjectMeta")
todo = [home[kind] for kind in KINDS] + MORE
done = set()
while todo:
    key = todo.pop(0)
    if key in done:
        continue
    done.add(key)
    if key in structs:
        parts = ["%s %s%s" % field for field in fields(key, todo)]
        version = key[0].split("/")[1]
        mark = "" if version == "v1" else "/" + version
        out[label(key)] = "%s%s%s: %s" % (label(key), mark, "%" if key in whole else "", ", ".join(parts))
    else:
        under = named[key].split(".")[-1]
        while (key[0], under) in named:
            under = named[(key[0], under)]
        under = {"UID": "string"}.get(under, under)
        known = values.get(key, []) if under == "string" else []
        closed = known and len(known) < 12 and not any("/" in v or "." in v for v in known)
        version = key[0].split("/")[1]
        mark = "" if version == "v1" else "/" + version
        out[label(key)] = "%s%s = %s%s" % (label(key), mark, under, (": " + " ".join(v for v in known if v)) if closed else "")
for name in sorted(out):
    print(out[name].rstrip())
