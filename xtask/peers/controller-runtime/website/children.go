package main

import (
	"fmt"
	"hash/fnv"

	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1 "k8s.io/client-go/applyconfigurations/core/v1"
	metav1 "k8s.io/client-go/applyconfigurations/meta/v1"
)

// pages returns the pages of a website and their style.
func pages(w *Website, style string) *corev1.ConfigMapApplyConfiguration {
	return corev1.ConfigMap(w.Name+"-pages", w.Namespace).
		WithOwnerReferences(owner(w)).
		WithData(map[string]string{"index.html": w.Spec.HTML, "style.css": style})
}

// service returns the Service of a website.
func service(w *Website) *corev1.ServiceApplyConfiguration {
	return corev1.Service(w.Name, w.Namespace).
		WithOwnerReferences(owner(w)).
		WithSpec(corev1.ServiceSpec().
			WithSelector(labels(w)).
			WithPorts(corev1.ServicePort().WithPort(80).WithTargetPort(intstr.FromInt32(80))))
}

// deployment returns the Deployment whose Pods serve the pages. New pages make new Pods.
func deployment(w *Website, style string) *appsv1.DeploymentApplyConfiguration {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(w.Spec.HTML + "\x00" + style)) // never fails
	pod := corev1.PodTemplateSpec().
		WithLabels(labels(w)).
		WithAnnotations(map[string]string{"example.com/pages": fmt.Sprintf("%016x", hash.Sum64())}).
		WithSpec(corev1.PodSpec().
			WithContainers(corev1.Container().
				WithName("nginx").WithImage("nginx:1.29").
				WithPorts(corev1.ContainerPort().WithContainerPort(80)).
				WithVolumeMounts(corev1.VolumeMount().WithName("pages").WithMountPath("/usr/share/nginx/html"))).
			WithVolumes(corev1.Volume().WithName("pages").
				WithConfigMap(corev1.ConfigMapVolumeSource().WithName(w.Name + "-pages"))))
	return appsv1.Deployment(w.Name, w.Namespace).
		WithOwnerReferences(owner(w)).
		WithSpec(appsv1.DeploymentSpec().
			WithReplicas(w.Spec.Replicas).
			WithSelector(metav1.LabelSelector().WithMatchLabels(labels(w))).
			WithTemplate(pod))
}

func labels(w *Website) map[string]string {
	return map[string]string{"website": w.Name}
}

func owner(w *Website) *metav1.OwnerReferenceApplyConfiguration {
	return metav1.OwnerReference().
		WithAPIVersion(groupVersion.String()).WithKind("Website").WithName(w.Name).WithUID(w.UID).
		WithController(true).WithBlockOwnerDeletion(true)
}
