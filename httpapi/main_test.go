package httpapi_test

import (
	"os"
	"testing"

	"github.com/ringback-dev/ringback/internal/leaktest"
)

func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }
