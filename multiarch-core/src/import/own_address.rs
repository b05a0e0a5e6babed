//! This machine's own address.

use std::net::UdpSocket;

use crate::error::{Detail, Error, ErrorKind, Result};

/// The address of the interface with the default route. Nothing is sent: connecting a UDP socket only
/// looks up the routing table. The address it connects to is reserved for documentation (RFC 5737).
///
/// # Errors
/// [`ErrorKind::Usage`] where there is no default route.
pub fn own_address() -> Result<String> {
    let address = || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.connect("192.0.2.1:9")?;
        Ok::<_, std::io::Error>(socket.local_addr()?.ip().to_string())
    };
    address().map_err(|e| {
        let message = "this machine's address is not known, because it has no default route";
        Error::caused_by(ErrorKind::Usage, message, e).with_detail(Detail::NoDefaultRoute)
    })
}
