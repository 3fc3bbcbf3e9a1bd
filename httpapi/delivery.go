package httpapi

import (
	"errors"
	"net/http"

	"github.com/ringback-dev/ringback/webhook"
)

// Deliveries lists the deliveries to the callback that the path value callbackID names,
// the latest first. Besides start, limit and total the query may have state, record (the
// ID of the record that changed), since and until (when the event came to the callback:
// from since on, and before until).
func (a *API) Deliveries(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, methods{http.MethodGet: a.with(a.deliveries)})
}

func (a *API) deliveries(w http.ResponseWriter, r *http.Request, c webhook.Callback) error {
	asked, err := parseWindow(r.URL.RawQuery)
	if err != nil {
		return err
	}
	q, err := parseFilters(r.URL.RawQuery)
	if err != nil {
		return err
	}
	q.Callback, q.Start, q.Limit, q.WithTotal = c.ID, asked.start, asked.limit, asked.total
	page, err := a.store.Deliveries(r.Context(), q)
	if err := a.despiteDamage(r, err); err != nil {
		return err
	}
	items := make([]deliveryItem, len(page.Deliveries))
	for i, d := range page.Deliveries {
		items[i] = deliveryItemOf(d)
	}
	return write(w, http.StatusOK, asked.envelope(items, page.Total))
}

// Delivery shows the delivery that the path value deliveryID names, with its attempts.
func (a *API) Delivery(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, methods{http.MethodGet: a.withDelivery(a.delivery)})
}

func (a *API) delivery(w http.ResponseWriter, r *http.Request, id string) error {
	d, err := a.store.Delivery(r.Context(), id)
	if err != nil {
		return err
	}
	attempts, err := a.store.Attempts(r.Context(), id)
	if err != nil {
		return err
	}
	shown := deliveryItemOf(d)
	shown.AttemptCount = len(attempts) // there may be one more by now
	shown.Attempts = make([]attemptItem, len(attempts))
	for i, attempt := range attempts {
		shown.Attempts[i] = attemptItemOf(attempt)
	}
	return writeEnvelope(w, http.StatusOK, []deliveryItem{shown})
}

// withDelivery gives a handler the ID of the delivery that the request is about, if the
// caller may manage the callback that it goes to. Otherwise, and where the handler does
// not find it, there is no such delivery.
func (a *API) withDelivery(method func(http.ResponseWriter, *http.Request, string) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := r.PathValue("deliveryID")
		event, callback, ok := webhook.SplitDeliveryID(id)
		if !ok || len(event) > webhook.MaxEventID || checkText("ID", event) != nil {
			callback = ""
		}
		_, err := a.find(r, callback)
		if err == nil {
			err = method(w, r, id)
		}
		if errors.Is(err, webhook.ErrNotFound) {
			return errNoDelivery
		}
		return err
	}
}
