{{- define "fluent-bit.labels" -}}
app.kubernetes.io/name: fluent-bit
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "fluent-bit.dataplanePaths" -}}
/var/log/containers/aws-node*, /var/log/containers/kube-proxy*
{{- end }}

{{- /* Of each log file the name is <pod>_<namespace>_<container>-<id>.log. */}}
{{- define "fluent-bit.excludedPaths" -}}
{{- $paths := list (include "fluent-bit.dataplanePaths" .) }}
{{- range .Values.application.excludedNamespaces }}
{{- $paths = append $paths (printf "/var/log/containers/*_%s_*.log" .) }}
{{- end }}
{{- join ", " $paths }}
{{- end }}

{{- /* Takes root and kind. */}}
{{- define "fluent-bit.output" -}}
[OUTPUT]
    Name                     cloudwatch_logs
    Alias                    {{ .kind }}
    Match                    {{ .kind }}.*
    region                   {{ .root.Values.region }}
    log_group_name           /aws/containerinsights/{{ .root.Values.clusterName }}/{{ .kind }}
    log_stream_prefix        ${HOST_NAME}-
    # Whoever makes the group says how long logs are kept: not this one.
    auto_create_group        Off
    # Some five hours, by scheduler.cap; what is longer ends at the limit of the disk.
    Retry_Limit              60
    storage.total_limit_size {{ .root.Values.buffer.diskLimit }}
{{- end }}

{{- /* "true" or "": of logs of pods alone are there any metrics. */}}
{{- define "fluent-bit.metrics" -}}
{{- if and .Values.application.enabled .Values.metrics.namespaces }}true{{ end }}
{{- end }}

{{- /* Every file of the configuration by its name. */}}
{{- define "fluent-bit.files" -}}
fluent-bit.conf: |
  {{- tpl (.Files.Get "config/fluent-bit.conf") . | nindent 2 }}
{{- range $kind := list "application" "dataplane" "host" }}
{{- if (index $.Values $kind).enabled }}
{{ $kind }}.conf: |
  {{- tpl ($.Files.Get (printf "config/%s.conf" $kind)) $ | trim | nindent 2 }}
{{- end }}
{{- end }}
{{- if include "fluent-bit.metrics" . }}
metrics.conf: |
  {{- tpl (.Files.Get "config/metrics.conf") . | nindent 2 }}
{{- end }}
{{- if and .Values.application.enabled .Values.application.sampledNamespaces }}
sample.lua: |
  {{- tpl (.Files.Get "config/sample.lua") . | nindent 2 }}
{{- end }}
{{- end }}
