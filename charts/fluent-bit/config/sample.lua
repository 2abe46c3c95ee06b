-- Keeps a percentage of the lines that a namespace, or a container of it, writes to stdout, and all that it writes to
-- stderr. The tag names both: application.var.log.containers.<pod>_<namespace>_<container>-<id>.log
local percentages = {
{{- range $namespace, $percentage := .Values.application.sampledNamespaces }}
  [{{ $namespace | quote }}] = {{ $percentage }},
{{- end }}
}

local DROP, KEEP = -1, 0

function sample(tag, timestamp, record)
  local namespace, container = tag:match("_([^_]+)_([^_]+)%-%x+%.log$")
  local percentage = namespace and (percentages[namespace .. "/" .. container] or percentages[namespace])
  if percentage and record["stream"] ~= "stderr" and math.random(100) > percentage then
    return DROP, timestamp, record
  end
  return KEEP, timestamp, record
end
