{{- define "rtc-server.selector" -}}
app.kubernetes.io/name: rtc-server
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rtc-server.labels" -}}
{{ include "rtc-server.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
