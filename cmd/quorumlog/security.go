package main

import "github.com/spf13/cobra"

// addSecurity adds what says how this process and its peers know each other: the same for members and clients.
func (s *settings) addSecurity(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&s.security.CA, "tls-ca", "", "`file` with the authority whose certificates are believed (see quorumlog cert)")
	own(command, "tls-ca", true)
	flags.StringVar(&s.security.Certificate, "tls-cert", "", "`file` with the certificate that this process shows")
	own(command, "tls-cert", true)
	flags.StringVar(&s.security.Key, "tls-key", "", "`file` with the private key of that certificate")
	own(command, "tls-key", true)
	flags.BoolVar(&s.security.Insecure, "insecure", false, "allow plain text beyond this machine: on a network that you trust")
	own(command, "insecure", true)
}
