{{- define "rtc-server.selector" -}}
app.kubernetes.io/name: rtc-server
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rtc-server.labels" -}}
{{ include "rtc-server.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "rtc-server.engines" -}}
{{ .Release.Name }}-engines
{{- end }}

{{- define "rtc-server.engines.selector" -}}
app.kubernetes.io/name: rtc-server-engines
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rtc-server.engines.labels" -}}
{{ include "rtc-server.engines.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* Addresses for --ast-servers and --tts-servers; empty where media pods have engines of their own. */}}
{{- define "rtc-server.engines.addresses" -}}
{{- $own := printf "%s%s:%v" (ternary "" "ws://" (ne .Values.engines.tls.existingSecret "")) (include "rtc-server.engines" .) .Values.engines.port }}
{{- join "," (concat (ternary (list $own) (list) .Values.engines.enabled) .Values.engines.servers) }}
{{- end }}

{{- define "rtc-server.engines.token" -}}
- name: RTC_ENGINE_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ required "engines.token.existingSecret: name a Secret with the engine token" .Values.engines.token.existingSecret }}
      key: {{ .Values.engines.token.key }}
{{- end }}
