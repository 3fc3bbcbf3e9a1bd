package httpapi

import (
	"errors"
	"net/http"

	"github.com/ringback-dev/ringback/webhook"
)

// ReplayDelivery sends a delivery that has ended once more: the one that the path value
// deliveryID names. One that has not ended stays as it is. The answer shows it.
func (a *API) ReplayDelivery(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, methods{http.MethodPost: a.withDelivery(a.replayDelivery)})
}

func (a *API) replayDelivery(w http.ResponseWriter, r *http.Request, id string) error {
	if _, err := emptySchema.readOptional(r); err != nil {
		return err
	}
	d, err := a.store.Replay(r.Context(), id)
	if err != nil {
		return err
	}
	return writeEnvelope(w, http.StatusAccepted, []deliveryItem{deliveryItemOf(d)})
}

// ReplayDeliveries sends deliveries to the callback that the path value callbackID names
// once more: all that have ended and whose event came to the callback at the time since,
// which is mandatory, or later. With state only those that are dead, or only those that
// were delivered. The answer's total says how many they are; it lists none.
func (a *API) ReplayDeliveries(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, methods{http.MethodPost: a.with(a.replayDeliveries)})
}

func (a *API) replayDeliveries(w http.ResponseWriter, r *http.Request, c webhook.Callback) error {
	given, err := replaySchema.read(r)
	if err != nil {
		return err
	}
	since, ok := given["since"]
	if !ok {
		return webhook.Invalid("since", "is missing: say from when on deliveries are to be sent once more")
	}
	request := webhook.ReplayRequest{Callback: c.ID}
	if request.Since, err = parseTime("since", since); err != nil {
		return err
	}
	if state, ok := given["state"]; ok {
		ended := []webhook.DeliveryState{webhook.DeliveryDead, webhook.DeliveryDelivered}
		if request.State, err = parseState(state, ended); err != nil {
			return err
		}
	}
	selected, err := a.store.StartReplay(r.Context(), request)
	if errors.Is(err, webhook.ErrLimit) {
		return webhook.Invalid("", "%d replays of this callback are under way: wait until one is done", webhook.MaxReplays)
	}
	if err != nil {
		return err
	}
	return write(w, http.StatusAccepted, envelope{Start: "0", Limit: 0, Total: &selected, Data: []deliveryItem{}})
}
