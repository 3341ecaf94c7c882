// Follows the pods of this node: go mod tidy && go run . [SOCKET]
//
// The messages of the API hold a pod as bytes, so they are read here without generated code; k8s.io/api has the pod.
// From Kubernetes 1.36 on, k8s.io/kubelet/pkg/apis/pods/v1alpha1 has the generated client of the same service.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"
)

// raw hands messages over as they are on the wire.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (raw) Name() string { return "proto" }

var kinds = []string{"?", "ADDED", "MODIFIED", "DELETED", "INITIAL_SYNC_COMPLETE"}

// event reads a WatchPodsEvent: the type is field 1, the pod field 2.
func event(message []byte) (kind uint64, pod corev1.Pod, err error) {
	for len(message) > 0 && err == nil {
		number, wire, n := protowire.ConsumeTag(message)
		if n < 0 {
			return kind, pod, protowire.ParseError(n)
		}
		message = message[n:]
		switch {
		case number == 1 && wire == protowire.VarintType:
			kind, n = protowire.ConsumeVarint(message)
		case number == 2 && wire == protowire.BytesType:
			var body []byte
			body, n = protowire.ConsumeBytes(message)
			err = pod.Unmarshal(body)
		default:
			n = protowire.ConsumeFieldValue(number, wire, message)
		}
		if n < 0 {
			return kind, pod, protowire.ParseError(n)
		}
		message = message[n:]
	}
	return kind, pod, err
}

func follow(connection *grpc.ClientConn) error {
	ctx := metadata.AppendToOutgoingContext(context.Background(),
		"x-kubernetes-fieldmask", "metadata.name,metadata.namespace,metadata.uid,status.phase")
	stream, err := connection.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/v1alpha1.Pods/WatchPods",
		grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	var none []byte
	if err := stream.SendMsg(&none); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err != nil {
			return err
		}
		kind, pod, err := event(message)
		if err != nil {
			return err
		}
		if kind >= uint64(len(kinds)) {
			kind = 0
		}
		fmt.Println(kinds[kind], pod.Namespace+"/"+pod.Name, pod.Status.Phase)
	}
}

func main() {
	socket := "/run/nodepods/pods.sock"
	if len(os.Args) > 1 {
		socket = os.Args[1]
	}
	// A unix socket: the kernel knows who speaks, and nobody listens in.
	connection, err := grpc.Dial("unix:"+socket, grpc.WithInsecure(),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		// UNAVAILABLE: it restarts. FAILED_PRECONDITION: it does not know its node yet. Both pass.
		fmt.Fprintln(os.Stderr, "again:", follow(connection))
		time.Sleep(time.Second)
	}
}
