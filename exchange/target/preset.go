package target

import (
	"maps"
	"net/http"
	"slices"

	"understudy.dev/exchange/operation"
)

func presetNames() []string { return slices.Sorted(maps.Keys(presets)) }

// presets are protocols by name, in the words that a user has for them too.
var presets = map[string]*Completion{
	// google.longrunning.Operation (AIP-151): the answer of a call is an operation
	// by its name, which is polled at /v1/ and its name.
	"google-lro": {
		Channel: ChannelPoll,
		Conventions: operation.Conventions{
			AcceptedWhen: operation.Condition{JQ: `(.name? | strings | test("(^|/)operations/")) and ([keys[] | IN("name", "metadata", "done", "error", "response")] | all)`},
			Monitor:      operation.Address{Template: "/v1/{/name}"},
		},
		Cancel: Cancel{Method: http.MethodPost, Template: "{monitor}:cancel"},
	},
	// Azure Resource Manager, asynchronous operations: Azure-AsyncOperation leads
	// to a document, Location alone to the answer.
	"azure-async": {
		Channel:     ChannelPoll,
		Conventions: operation.Conventions{AcceptedWhen: operation.Condition{Header: "Azure-AsyncOperation"}},
	},
	// Prefer: respond-async (RFC 7240, 4.1): 202 with a Location that answers 202
	// until it has, or leads to, the answer.
	"rfc7240": {
		Channel: ChannelPoll,
		Conventions: operation.Conventions{
			AcceptedWhen: operation.Condition{Header: "Preference-Applied", Values: []string{"respond-async"}},
			Monitor:      operation.Address{Locator: operation.Locator{Header: "Location"}},
			ByStatus:     true,
		},
	},
	// OGC API – Processes: 201 with the Location of a job, whose results are
	// behind a link.
	"ogc-processes": {
		Channel: ChannelPoll,
		Conventions: operation.Conventions{
			Accepted:       []uint32{201},
			Monitor:        operation.Address{Locator: operation.Locator{Header: "Location"}},
			Pending:        operation.Condition{Pointer: "/status", Values: []string{"accepted", "running"}},
			Done:           operation.Condition{Pointer: "/status", Values: []string{"successful"}},
			Failed:         operation.Condition{Pointer: "/status", Values: []string{"failed", "dismissed"}},
			ResultLink:     `.links[]? | select(.rel? | strings | test("(^|/)results$")) | .href`,
			ResultTemplate: "{monitor}/results",
		},
		Cancel: Cancel{Method: http.MethodDelete},
	},
	// FHIR Bulk Data Access: the status is at the Content-Location.
	"fhir-bulk": {
		Channel: ChannelPoll,
		Conventions: operation.Conventions{
			Monitor:  operation.Address{Locator: operation.Locator{Header: "Content-Location"}},
			ByStatus: true,
		},
		Cancel: Cancel{Method: http.MethodDelete},
	},
	// AsyncAPI 3, request and reply: the reply repeats the correlation identifier
	// in its header.
	"asyncapi-reply": {
		Channel: ChannelTopic,
		Topic: Topic{ReplyTo: "replyTo", Correlate: Correlation{
			Send: Carrier{Header: "correlationId"}, Reply: operation.Locator{Header: "correlationId"},
		}},
	},
}
