// Package httpapi serves callbacks over HTTP: it lists, creates, updates and deletes
// them, replaces their secrets, shows what became of their deliveries, and has these
// sent once more.
//
// An [API] is an http.Handler with nine resources:
//
//	/database/{databaseID}/callbacks      GET, POST
//	/collection/{collectionID}/callbacks  GET, POST
//	/callback/{callbackID}                GET, PUT or POST, DELETE
//	/callback/{callbackID}/secret         POST
//	/callback/{callbackID}/deliveries     GET
//	/callback/{callbackID}/replay         POST
//	/delivery/{deliveryID}                GET
//	/delivery/{deliveryID}/replay         POST
//	/purge                                POST
//
// # Mounting
//
// At the root of a mux nothing is to be said:
//
//	api, err := httpapi.New(store, engine, authorize, nil)
//	mux.Handle("/", api)
//
// Below a prefix either BasePath names it or http.StripPrefix takes it off (or
// both); the Location of a new callback is right in each case:
//
//	api, err := httpapi.New(store, engine, authorize, &httpapi.Options{BasePath: "/api/v1"})
//	mux.Handle("/api/v1/", api)
//
//	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", api))
//
// A host with another shape of URLs mounts each resource by itself. The handlers
// read r.PathValue; with a router that is not net/http's, call r.SetPathValue
// first. Location is BasePath followed by /callback/ and the ID, so that is where
// [API.Callback] belongs, and [API.Secret], [API.Deliveries] and [API.ReplayDeliveries]
// below it. (In this example they need a BasePath: an http.ServeMux takes no two
// patterns that both match /callback/callbacks.)
//
//	api, err := httpapi.New(store, engine, authorize, &httpapi.Options{BasePath: "/v1"})
//	mux.HandleFunc("/{databaseID}/callbacks", api.Database)
//	mux.HandleFunc("/v1/callback/{callbackID}", api.Callback)
//	mux.HandleFunc("/v1/callback/{callbackID}/secret", api.Secret)
//	mux.HandleFunc("/v1/callback/{callbackID}/deliveries", api.Deliveries)
//	mux.HandleFunc("/v1/callback/{callbackID}/replay", api.ReplayDeliveries)
//	mux.HandleFunc("/v1/delivery/{deliveryID}", api.Delivery)
//	mux.HandleFunc("/v1/delivery/{deliveryID}/replay", api.ReplayDelivery)
//	mux.HandleFunc("/v1/purge", api.Purge)
//
// IDs in paths are percent-encoded: database "a/b" is /database/a%2Fb/callbacks.
//
// # Requests
//
// A body is a JSON object, that object as the only element of data in the
// envelope that a listing has, or a form with the same names; at most 64 KiB. It
// is read strictly: a property nobody knows, a property that is given twice, a
// null and a value of the wrong type are errors that name the property. An update
// changes the properties that are named and no others, and what a GET shows may
// be sent back as it is. What is in front of the API must leave the body alone
// (r.FormValue reads it).
//
// A listing takes start (a whole number from 0, default 0), limit (from 1 to
// 1000, default 100) and total=false in the query. Both numbers are plain decimal
// digits, without sign, leading zero or exponent. Other keys pass.
//
// A listing of deliveries has the latest first, and takes in the query besides these
// state (waiting, ready, claimed, delivered or dead), record (the ID of the record that
// changed), and since and until (RFC 3339; by when the event came to the callback: from
// since on, and before until).
//
// A user disables a callback by its property state, which gives it a reason, and
// enables it in the same way; so does the engine when a receiver is gone for good. A
// disabled callback hears nothing, what was open for it is dead, and nothing can be
// replayed to it. What is dead stays so when it is enabled, until it is replayed.
//
// A replay sends deliveries that have ended once more, with the same webhook-id and the
// same bytes: one delivery, or all of a callback since a time. That time is mandatory,
// and by default it is all of them, those too that were delivered: "state":"dead" leaves
// these out. The answer is 202: the work goes on after it, also through a restart.
// total is how many deliveries are selected; data lists none of them.
//
// /purge removes what is stored about one record: {"database":"788","collection":0,
// "record":"1"}, with a collection for a subprofile. A profile takes with it what is stored
// about its subprofiles, whatever their collections. It is for operators alone: see
// Options.Operator.
//
// A callback is created with the secret that the message names, or with a random
// one. The answer shows it, and no later answer does but that of [API.Secret], which
// replaces it.
//
// Cross-origin requests that a browser sends are refused, but for GET and HEAD.
//
// # Errors
//
// An error is {"error":{"message":"…","field":"expression"}}, with field where one
// property is to blame. Text of internal errors goes to Options.Logger and
// nowhere else. A request that fails changes nothing, but for a purge, which may have
// removed some of what it was to remove. The statuses:
//
//	400  bad input, as many callbacks as there may be, or a replay to a callback
//	     that is disabled
//	401  the authorizer said ErrUnauthorized
//	403  the authorizer said anything else, or the request is cross-origin
//	404  no such callback or delivery, or none that the caller may manage; no such path
//	405  another method than those in the Allow header
//	413  the body is larger than 64 KiB
//	415  the Content-Type is neither application/json nor that of a form
//	500  internal
package httpapi
