// Vault's own core, HTTP handler and key-value engine, in memory: the server that the tests ask for secrets.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	log "github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/builtin/credential/approle"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

var engines = map[string]logical.Factory{"kv": kv.Factory}

var logins = map[string]logical.Factory{"approle": approle.Factory}

// registry knows the two plugins that are built in.
type registry struct{}

func (registry) Contains(name string, kind consts.PluginType) bool {
	return of(kind)[name] != nil
}

func (registry) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	factory := of(kind)[name]
	return func() (interface{}, error) { return factory, nil }, factory != nil
}

func (registry) Keys(kind consts.PluginType) []string {
	names := []string{}
	for name := range of(kind) {
		names = append(names, name)
	}
	return names
}

func (r registry) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, r.Contains(name, kind)
}

func of(kind consts.PluginType) map[string]logical.Factory {
	switch kind {
	case consts.PluginTypeSecrets:
		return engines
	case consts.PluginTypeCredential:
		return logins
	}
	return nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	logger := log.New(&log.LoggerOptions{Output: os.Stderr, Level: log.Info})
	storage, err := inmem.NewInmem(nil, logger)
	must(err)
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		DisableMlock:       true,
		Logger:             logger,
		LogicalBackends:    engines,
		CredentialBackends: logins,
		BuiltinRegistry:    registry{},
	})
	must(err)
	one := &vault.SealConfig{SecretShares: 1, SecretThreshold: 1}
	made, err := core.Initialize(context.Background(), &vault.InitParams{BarrierConfig: one, RecoveryConfig: one})
	must(err)
	_, err = core.Unseal(made.SecretShares[0])
	must(err)
	for standby, _ := core.Standby(); standby; standby, _ = core.Standby() {
		time.Sleep(10 * time.Millisecond)
	}
	listener, err := net.Listen("tcp", os.Args[1])
	must(err)
	must(os.WriteFile(os.Args[2], []byte(made.RootToken), 0o600))
	properties := &vault.HandlerProperties{Core: core, ListenerConfig: &configutil.Listener{}}
	must(http.Serve(listener, vaulthttp.Handler.Handler(properties)))
}
