{{- /* Takes root and name. */}}
{{- define "cloudwatch-agent.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "cloudwatch-agent.labels" -}}
{{ include "cloudwatch-agent.selector" (dict "root" . "name" "cloudwatch-agent") }}
{{- end }}

{{- define "cloudwatch-agent.gpuName" -}}
{{ .Release.Name }}-gpu
{{- end }}

{{- define "cloudwatch-agent.logGroup" -}}
/aws/containerinsights/{{ .Values.clusterName }}/performance
{{- end }}

{{- /* What the agent of each node measures. */}}
{{- define "cloudwatch-agent.config" -}}
{{- $kubernetes := dict
  "cluster_name" .Values.clusterName
  "metrics_collection_interval" (int .Values.interval)
  "enhanced_container_insights" .Values.enhanced
  "accelerated_compute_metrics" .Values.gpu.requested
  "tag_service" false }}
{{- dict
  "agent" (dict "region" .Values.region)
  "logs" (dict "metrics_collected" (dict "kubernetes" $kubernetes) "force_flush_interval" 5) | toPrettyJson }}
{{- end }}

{{- /* What the one agent makes of the answers of dcgm-exporter. */}}
{{- define "cloudwatch-agent.gpuConfig" -}}
{{- $declaration := dict
  "source_labels" (list "job")
  "label_matcher" "^dcgm$"
  "dimensions" (list (list "ClusterName") (list "ClusterName" "NodeGroup"))
  "metric_selectors" (list "^DCGM_FI_DEV_(GPU_UTIL|MEM_COPY_UTIL|FB_USED|FB_FREE|GPU_TEMP|POWER_USAGE|XID_ERRORS)$") }}
{{- $prometheus := dict
  "cluster_name" .Values.clusterName
  "log_group_name" (include "cloudwatch-agent.logGroup" .)
  "prometheus_config_path" "/etc/prometheusconfig/prometheus.yaml"
  "emf_processor" (dict "metric_namespace" "ContainerInsights/Prometheus" "metric_declaration" (list $declaration)) }}
{{- dict
  "agent" (dict "region" .Values.region)
  "logs" (dict "metrics_collected" (dict "prometheus" $prometheus) "force_flush_interval" 5) | toPrettyJson }}
{{- end }}

{{- /* Whom it asks, and how often. A label's name in Prometheus has underscores only. */}}
{{- define "cloudwatch-agent.gpuTargets" -}}
global:
  scrape_interval: {{ .Values.interval }}s
  scrape_timeout: 10s
scrape_configs:
  - job_name: dcgm
    sample_limit: 10000
    kubernetes_sd_configs:
      - role: pod
        namespaces:
          names: [{{ .Values.gpu.exporter.namespace }}]
        selectors:
          - role: pod
            label: {{ include "cloudwatch-agent.labelSelector" .Values.gpu.exporter.labels | quote }}
        attach_metadata:
          node: true
    relabel_configs:
      - source_labels: [__meta_kubernetes_pod_container_port_number]
        regex: {{ .Values.gpu.exporter.port | quote }}
        action: keep
      - source_labels: [__meta_kubernetes_node_label_{{ regexReplaceAll "[^A-Za-z0-9_]" .Values.gpu.nodeGroupLabel "_" }}]
        target_label: NodeGroup
      - source_labels: [__meta_kubernetes_pod_node_name]
        target_label: NodeName
{{- end }}

{{- define "cloudwatch-agent.labelSelector" -}}
{{- $terms := list }}
{{- range $key, $value := . }}
{{- $terms = append $terms (printf "%s=%s" $key $value) }}
{{- end }}
{{- join "," $terms }}
{{- end }}

{{- /* Where the program writes: its translated configuration, its process id. Takes the folders' mounts for granted. */}}
{{- define "cloudwatch-agent.writableMounts" -}}
- name: scratch
  mountPath: /opt/aws/amazon-cloudwatch-agent/etc
  subPath: etc
- name: scratch
  mountPath: /opt/aws/amazon-cloudwatch-agent/var
  subPath: var
- name: scratch
  mountPath: /opt/aws/amazon-cloudwatch-agent/logs
  subPath: logs
- name: scratch
  mountPath: /tmp
  subPath: tmp
{{- end }}

{{- define "cloudwatch-agent.image" -}}
image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{- define "cloudwatch-agent.awsEnvironment" -}}
- name: AWS_REGION
  value: {{ .Values.region }}
- name: AWS_STS_REGIONAL_ENDPOINTS
  value: regional
- name: AWS_RETRY_MODE
  value: adaptive
- name: AWS_MAX_ATTEMPTS
  value: "10"
{{- end }}
