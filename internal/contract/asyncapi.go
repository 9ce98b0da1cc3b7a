package contract

import (
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

type object map[string]any

// asyncAPI returns the AsyncAPI document: a channel per event, and the functions that send and receive on it.
func asyncAPI(functions []function.Function, says map[string]string) ([]byte, error) {
	channels, messages, operations := object{}, object{}, object{}
	for _, e := range events.All() {
		name := events.WireType(e)
		channels[name] = object{"address": name, "messages": object{name: ref("components", "messages", name)}}
		messages[name] = message(e, describe(e, says))
	}
	for _, f := range functions {
		for _, e := range f.Emits {
			operations[f.Name+".send."+e.EventType()] = operation("send", f.Name+" emits "+e.EventType(), e)
		}
		for _, h := range f.On {
			operations[f.Name+".receive."+h.Event.EventType()] = operation("receive", f.Name+" consumes "+h.Event.EventType(),
				h.Event)
		}
	}
	document, err := yaml.Marshal(object{
		"asyncapi": "3.1.0",
		"info": object{
			"title": "popup", "version": "1.0.0", "license": object{"name": "MIT"},
			"description": "The events of the shop: CloudEvents 1.0, each with what a consumer needs. Only optional fields are ever added.",
		},
		"defaultContentType": "application/json",
		"channels":           channels,
		"operations":         operations,
		"components":         object{"messages": messages, "schemas": object{"attributes": attributes()}},
	})
	if err != nil {
		return nil, fmt.Errorf("write AsyncAPI: %w", err)
	}
	return append([]byte("# Generated from the code; do not edit.\n"), document...), nil
}

func message(e events.Event, description string) object {
	m := object{
		"name": events.WireType(e), "title": e.EventType(), "summary": description, "contentType": "application/json",
		"headers":       ref("components", "schemas", "attributes"),
		"payload":       object{"$ref": "./" + schemaFile(e)},
		"correlationId": object{"location": "$message.header#/correlationid"},
	}
	if alias := events.Alias(e.EventType()); alias != "" {
		m["x-alias"] = alias
	}
	if _, tick := e.(events.Tick); tick {
		m["tags"] = []object{{"name": "clock"}}
	}
	return m
}

func operation(action, summary string, e events.Event) object {
	name := events.WireType(e)
	return object{
		"action": action, "summary": summary, "channel": ref("channels", name),
		"messages": []object{ref("channels", name, "messages", name)},
	}
}

// ref points into the document.
func ref(path ...string) object {
	to := "#"
	for _, part := range path {
		to += "/" + part
	}
	return object{"$ref": to}
}

// attributes is the schema of the CloudEvents attributes that every event has. Over HTTP each is a header with ce-
// before its name.
func attributes() object {
	text := func(description string) object { return object{"type": "string", "description": description} }
	uuid := func(description string) object {
		return object{"type": "string", "format": "uuid", "description": description}
	}
	return object{
		"type": "object",
		"properties": object{
			"specversion": object{"const": "1.0"},
			"id":          uuid("Derived from the emitting function, the cause and a number: the same on every retry."),
			"source": object{
				"type": "string", "pattern": "^/functions/[a-z-]+$", "description": "The function that emits it.",
			},
			"type":            text("What happened, " + events.Prefix + "noun.participle."),
			"subject":         text("Id of the object that the event is about."),
			"time":            object{"type": "string", "format": "date-time", "description": "When it was emitted."},
			"datacontenttype": object{"const": "application/json"},
			"dataschema":      text("Address of the schema of the data."),
			"partitionkey":    text("Id of the order; of the subject when there is none."),
			"correlationid":   uuid("Id of the order that the event belongs to."),
			"causationid":     text("Id of the event that caused this one."),
			"sequence": object{
				"type": "string", "pattern": "^[0-9]+$", "description": "Version of the subject after the event.",
			},
			"delayed":     object{"const": "true", "description": "A timer of the subject ends within a minute."},
			"traceparent": text("W3C trace context."),
			"popuptrace":  text("traceparent again, for brokers that blank it."),
		},
		"required": []string{
			"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "partitionkey", "causationid",
		},
	}
}
