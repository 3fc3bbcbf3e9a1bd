// Package webhook is the core of ringback: what a callback, an event, a record
// and a delivery are, what makes one valid, and what a store has to promise.
//
// A host describes each change of a record as an [Event] and hands it to a
// [Dispatcher]. Its users register a [Callback] for the changes they want to
// hear of. Everything between the two (matching, conditions, delivery, retry)
// is the engine's, in package dispatch; everything durable is a [Store]'s.
//
// The package depends on the standard library only (and on package signature, which
// does no more), so that host code which dispatches events pulls in nothing else.
package webhook

// Version is the version of this module, as it is sent in the User-Agent
// header of every delivery.
const Version = "0.1.0"
