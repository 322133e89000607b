package main

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"understudy.dev/setting/source"
)

// manifest is what a document of the sidecar's file may say: the fields of
// Kubernetes' API that it uses, so that a word spelled wrong is a mistake.
type manifest struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Data       map[string]string // of a ConfigMap
	Spec       struct {
		// of a Service
		Ports []struct {
			Name       string
			Port       int
			TargetPort string `yaml:"targetPort"`
		}
		// of a Deployment
		Replicas int
		Selector map[string]any
		Template struct {
			Metadata struct{ Labels, Annotations map[string]string }
			Spec     podSpec
		}
	}
}

type podSpec struct {
	TerminationGracePeriodSeconds int            `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               map[string]any `yaml:"securityContext"`
	Containers                    []podContainer
	Volumes                       []struct {
		Name      string
		ConfigMap struct{ Name string } `yaml:"configMap"`
		Secret    struct {
			SecretName string `yaml:"secretName"`
		}
		EmptyDir struct {
			SizeLimit string `yaml:"sizeLimit"`
		} `yaml:"emptyDir"`
	}
}

type podContainer struct {
	Name, Image string
	Args        []string
	Env         []struct {
		Name      string
		ValueFrom struct {
			FieldRef struct {
				FieldPath string `yaml:"fieldPath"`
			} `yaml:"fieldRef"`
		} `yaml:"valueFrom"`
	}
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	ReadinessProbe podProbe `yaml:"readinessProbe"`
	LivenessProbe  podProbe `yaml:"livenessProbe"`
	Lifecycle      struct {
		PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
	}
	Resources       struct{ Requests, Limits map[string]string }
	SecurityContext struct {
		RunAsNonRoot             bool  `yaml:"runAsNonRoot"`
		RunAsUser                int   `yaml:"runAsUser"`
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
		SeccompProfile           struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type podProbe struct {
	HTTPGet          struct{ Path, Port string } `yaml:"httpGet"`
	PeriodSeconds    int                         `yaml:"periodSeconds"`
	FailureThreshold int                         `yaml:"failureThreshold"`
}

func readManifests(t *testing.T) map[string]manifest {
	t.Helper()
	f, err := os.Open(filepath.Join(deployments, "kubernetes", "sidecar.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]manifest{}
	for d := yaml.NewDecoder(f, yaml.DisallowUnknownField()); ; {
		var m manifest
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[m.Kind] = m
	}
}

// TestSidecar: the pod's parts fit each other and what this program takes.
func TestSidecar(t *testing.T) {
	all := readManifests(t)
	pod := all["Deployment"].Spec.Template.Spec
	if len(all) != 3 || len(pod.Containers) != 2 {
		t.Fatalf("%d documents, %d containers", len(all), len(pod.Containers))
	}
	baseline, record := pod.Containers[0], pod.Containers[1]

	c := defaultConfig()
	origins := source.Origins{}
	err := source.Read([]byte(all["ConfigMap"].Data["understudy.yaml"]), "sidecar.yaml", &c, origins)
	if err := c.check(err, origins, beforeRulesExpire); err != nil {
		t.Error(err)
	}
	parseCommand(t, "sidecar.yaml", record.Args)
	for _, e := range record.Env {
		parseSetting(t, "sidecar.yaml", e.Name, "orders-5d8f")
	}

	// Addresses and ports.
	flag := map[string]string{}
	for _, arg := range record.Args[1:] {
		name, value, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		flag[name] = strings.TrimPrefix(value, "http://")
	}
	ports := map[string]int{}
	for _, c := range pod.Containers {
		for _, p := range c.Ports {
			ports[p.Name] = p.ContainerPort
		}
	}
	for name, port := range map[string]string{"listen": "recorded", "baseline": "direct", "admin": "admin"} {
		if _, got, err := net.SplitHostPort(flag[name]); err != nil || got != strconv.Itoa(ports[port]) {
			t.Errorf("--%s %s is not the port %s, %d (%v)", name, flag[name], port, ports[port], err)
		}
	}
	if s := all["Service"].Spec.Ports; len(s) != 1 || s[0].TargetPort != "recorded" {
		t.Errorf("the service goes around the recorder: %v", s)
	}
	if got := all["Deployment"].Spec.Template.Metadata.Annotations["prometheus.io/port"]; got != strconv.Itoa(ports["admin"]) {
		t.Errorf("metrics are looked for at port %s", got)
	}
	for what, got := range map[string]string{"readiness": record.ReadinessProbe.HTTPGet.Path, "liveness": record.LivenessProbe.HTTPGet.Path} {
		if want := map[string]string{"readiness": "/readyz", "liveness": "/livez"}[what]; got != want {
			t.Errorf("%s probe asks %s", what, got)
		}
	}

	// Files.
	mounts := map[string]string{}
	for _, m := range record.VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	for _, v := range pod.Volumes {
		path := map[string]string{
			"understudy": flag["config"], "key": flag["key-file"], "spool": c.Record.Spool.Dir,
		}[v.Name]
		if mounts[v.Name] == "" || !strings.HasPrefix(path, mounts[v.Name]+"/") {
			t.Errorf("volume %s is at %q, its file at %q", v.Name, mounts[v.Name], path)
		}
	}
	if len(pod.Volumes) != 3 {
		t.Errorf("%d volumes", len(pod.Volumes))
	}

	// The end: the baseline outlasts the requests, the pod both.
	r := c.Record
	traffic := r.ShutdownTimeout - r.DrainTimeout
	sleep := time.Duration(baseline.Lifecycle.PreStop.Sleep.Seconds) * time.Second
	grace := time.Duration(pod.TerminationGracePeriodSeconds) * time.Second
	if sleep <= traffic || grace <= r.ShutdownTimeout || grace <= sleep {
		t.Errorf("the baseline waits %s, the recorder serves for %s and ends within %s, the pod has %s", sleep, traffic, r.ShutdownTimeout, grace)
	}
	if failing := time.Duration(record.ReadinessProbe.PeriodSeconds*record.ReadinessProbe.FailureThreshold) * time.Second; failing == 0 || failing >= r.DrainDelay {
		t.Errorf("unreadiness is seen after %s, new requests are taken for %s", failing, r.DrainDelay)
	}

	s := record.SecurityContext
	if !s.RunAsNonRoot || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem ||
		len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || s.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("the recorder has rights: %+v", s)
	}
}
