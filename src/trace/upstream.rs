//! An nginx in a pod that hands requests on: what it says itself, and its connections to endpoints.

use super::answer::Answered;
use super::hop::{Cause, Failure, Place, Reason, Server};
use super::path::{Arrival, Entrance, Tracer};
use super::request::{Headers, Request, Source};
use crate::container::server;
use crate::net::Packet;
use crate::net::conntrack::Phase;
use crate::net::packet::Endpoint;
use crate::store::ObjectKey;
use std::net::IpAddr;
use std::sync::Arc;

/// An nginx in a pod.
pub(super) struct Nginx {
    /// Its pod.
    pub(super) pod: ObjectKey,
    /// The name of its container.
    pub(super) container: Arc<str>,
}

impl Nginx {
    /// An answer of its own.
    pub(super) fn says(&self, status: u16, body: &str) -> Answered {
        let container = self.container.clone();
        Answered {
            server: Server::Pod { pod: self.pod.clone(), container },
            status,
            body: Arc::from(body),
            headers: Headers::default(),
            because: None,
        }
    }

    /// nginx' own page for a status.
    pub(super) fn page(&self, status: u16) -> Answered {
        self.says(status, &server::nginx_page(status))
    }

    /// A page that says no, and why.
    pub(super) fn refuses(&self, status: u16, because: Cause) -> Answered {
        Answered { because: Some(Box::new(because)), ..self.page(status) }
    }

    /// A redirection.
    pub(super) fn sends_to(&self, status: u16, place: &str) -> Answered {
        let page = self.page(status);
        Answered { headers: page.headers.and("Location", place), ..page }
    }
}

impl Tracer<'_> {
    /// Sends a request to an endpoint and brings the answer back.
    pub(super) fn ask_endpoint(
        &mut self,
        nginx: &Nginx,
        request: &Request,
        endpoint: Endpoint,
    ) -> Result<Answered, Failure> {
        let arrival = self.second_connection(request, &nginx.pod, endpoint)?;
        let answered = self.answer(request, &arrival)?;
        self.reply(&arrival)?;
        self.conclude(&arrival, Phase::Closed);
        Ok(answered)
    }

    fn second_connection(
        &mut self,
        request: &Request,
        controller: &ObjectKey,
        endpoint: Endpoint,
    ) -> Result<Arrival, Failure> {
        let (namespace, name) = (controller.namespace.clone(), controller.name.clone());
        let (node, ip, entrance): (Arc<str>, IpAddr, Entrance) =
            self.origin(&Source::Pod { namespace, name })?;
        let port = self.ephemeral_port();
        let packet = Packet::new(request.protocol, Endpoint { ip, port }, endpoint);
        let place = Place::Pod(controller.clone());
        self.hop(place, Reason::Sends, Some((packet, packet)));
        self.send(&node, packet, entrance)
    }
}
