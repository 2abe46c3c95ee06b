-- Keeps a percentage of the lines that a namespace writes to stdout, and all that it writes to stderr.
-- The tag names the namespace: application.var.log.containers.<pod>_<namespace>_<container>-<id>.log
local percentages = {
{{- range $namespace, $percentage := .Values.application.sampledNamespaces }}
  [{{ $namespace | quote }}] = {{ $percentage }},
{{- end }}
}

local DROP, KEEP = -1, 0

function sample(tag, timestamp, record)
  local percentage = percentages[tag:match("_([^_]+)_[^_]+$")]
  if percentage and record["stream"] ~= "stderr" and math.random(100) > percentage then
    return DROP, timestamp, record
  end
  return KEEP, timestamp, record
end
