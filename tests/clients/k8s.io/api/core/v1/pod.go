// Package v1 stands in for k8s.io/api/core/v1, which Debian 12 does not have: what the example reads of a pod.
package v1

import "google.golang.org/protobuf/encoding/protowire"

type Pod struct {
	Namespace, Name string
	Status          struct{ Phase string }
}

// Unmarshal reads metadata.name, metadata.namespace and status.phase.
func (p *Pod) Unmarshal(pod []byte) error {
	return fields(pod, func(number protowire.Number, message []byte) error {
		return fields(message, func(inner protowire.Number, text []byte) error {
			switch {
			case number == 1 && inner == 1:
				p.Name = string(text)
			case number == 1 && inner == 3:
				p.Namespace = string(text)
			case number == 3 && inner == 1:
				p.Status.Phase = string(text)
			}
			return nil
		})
	})
}

// fields hands over each field of a message that has a length.
func fields(message []byte, found func(protowire.Number, []byte) error) error {
	for len(message) > 0 {
		number, wire, tag := protowire.ConsumeTag(message)
		if tag < 0 {
			return protowire.ParseError(tag)
		}
		n := protowire.ConsumeFieldValue(number, wire, message[tag:])
		if n < 0 {
			return protowire.ParseError(n)
		}
		if wire == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message[tag:])
			if err := found(number, value); err != nil {
				return err
			}
		}
		message = message[tag+n:]
	}
	return nil
}
