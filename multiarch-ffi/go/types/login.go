package types

import (
	"encoding/json"
	"errors"
)

// Login is the login to a registry or a chart repository: user name and password, one of the tokens, or none
// at all. It prints without its secrets.
type Login struct {
	Username      string
	Password      string
	IdentityToken string
	AccessToken   string
}

// Anonymous is no login: none is used, and none is looked for.
func Anonymous() *Login { return &Login{} }

// String names the kind of login, and nothing of it that is secret.
func (l Login) String() string {
	switch {
	case l.AccessToken != "":
		return "an access token"
	case l.IdentityToken != "":
		return "an identity token"
	case l == Login{}:
		return "no login"
	}
	return "the login of " + l.Username
}

// GoString is String, so that %#v shows no secret either.
func (l Login) GoString() string { return l.String() }

// MarshalJSON writes the form that the library reads.
func (l Login) MarshalJSON() ([]byte, error) {
	switch {
	case l.AccessToken != "":
		return json.Marshal(map[string]string{"access_token": l.AccessToken})
	case l.IdentityToken != "":
		return json.Marshal(map[string]string{"identity_token": l.IdentityToken})
	case l == Login{}:
		return json.Marshal("none")
	}
	return json.Marshal(map[string]string{"username": l.Username, "password": l.Password})
}

// UnmarshalJSON reads that form.
func (l *Login) UnmarshalJSON(data []byte) error {
	var none string
	if json.Unmarshal(data, &none) == nil {
		if none != "none" {
			return errors.New(`a login is "none" or an object`)
		}
		*l = Login{}
		return nil
	}
	var form struct {
		Username      string `json:"username"`
		Password      string `json:"password"`
		IdentityToken string `json:"identity_token"`
		AccessToken   string `json:"access_token"`
	}
	if err := json.Unmarshal(data, &form); err != nil {
		return errors.New(`a login is "none" or an object of texts`)
	}
	*l = Login(form)
	return nil
}
