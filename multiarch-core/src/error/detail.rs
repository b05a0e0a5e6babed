//! Details: cases of one kind of error in which the user's next step differs.

use super::ErrorKind;

macro_rules! details {
    ($($name:ident $kind:ident $text:literal $doc:literal;)*) => {
        /// Which case of its kind an error is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(not(feature = "registry"), expect(dead_code, reason = "some are a server's"))]
        pub(crate) enum Detail {
            $(#[doc = $doc] $name,)*
        }

        impl Detail {
            /// The text of every detail, with the kind that it belongs to.
            pub(super) const ALL: &'static [(ErrorKind, &'static str)] =
                &[$((ErrorKind::$kind, $text),)*];

            pub(crate) fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

details! {
    TargetAddress Usage "target-address" "The target's address is not valid.";
    CredentialsInAddress Usage "credentials-in-address" "An address has credentials in it.";
    ChartRepositoryAddress Usage "chart-repository-address" "A chart repository's address is not valid.";
    ChartFolder Usage "chart-folder" "Nothing says which chart repository the charts of a folder go to.";
    Helm Usage "helm" "The helm that is to render charts does not run.";
    RegistryUnknown Usage "registry-unknown" "Nothing says where the charts' images are pulled from.";
    NamesPath Usage "names-path" "A mode of names lacks its path, or has a path that it does not take.";
    ImageName Usage "image-name" "A name given to an image is no reference, or there is no image for it.";
    NoDefaultRoute Usage "no-default-route" "This machine's own address is not known.";
    ClusterConfig Usage "cluster-config" "The file is not a configuration of the installer.";
    ClusterConfigScalar Usage "cluster-config-scalar" "A list or a mapping stands where a value belongs.";
    ClusterConfigPort Usage "cluster-config-port" "A port is not a number from 1 to 65535.";
    ClusterConfigType Usage "cluster-config-type" "`imagesAndCharts.type` is missing or unknown.";
    ClusterConfigRegistry Usage "cluster-config-registry" "`externalImageRepo` is missing.";
    NothingSelected Usage "nothing-selected" "What is selected is in no package.";
    InsecureHost Usage "insecure-host" "What is named as an insecure host is no host.";
    ProxyAddress Usage "proxy-address" "A variable of the environment names no proxy that can be used.";
    OfficialService Usage "official-service" "The configuration names the vendor's own service.";
    SharedValue Hint "shared-value" "Two hints share a value, and no single value is right for both.";
    RenderedElsewhere Missing "rendered-elsewhere" "Helm renders an image from the chart that is not in the target.";
    ChartsDiffer ChartConflict "charts-differ" "Packages of one run hold different charts of one name and version.";
    LoginRefused Unauthorized "login-refused" "The server refuses the login as such, whatever is asked for.";
    LoginExpired Unauthorized "login-expired" "The login was good for a time, which is over.";
    NoLogin Unauthorized "no-login" "The server wants a login, and none is known for it.";
    LoginUnreadable Unauthorized "login-unreadable" "The server wants a login, and a place that may hold one could not be read.";
    ClientCertificate Unauthorized "client-certificate" "The server wants a client certificate, and none is given.";
    CertificateExpired Untrusted "certificate-expired" "The server's certificate has expired.";
    CertificateNotYetValid Untrusted "certificate-not-yet-valid" "The server's certificate is not valid yet.";
    CertificateName Untrusted "certificate-name" "The server's certificate is for another host.";
    CertificateForm Untrusted "certificate-form" "The server's certificate is of a form that is not accepted.";
    LoginUnprotected Untrusted "login-unprotected" "The login would be sent without encryption, or to another host.";
    PlainHttp Network "plain-http" "The server speaks HTTP where HTTPS was expected.";
    TlsExpected Network "tls-expected" "The server speaks HTTPS where HTTP was expected.";
    TlsVersion Network "tls-version" "The server and this program have no TLS version or algorithm in common.";
    NoSuchHost Network "no-such-host" "The name of the host is not known.";
    BrokenOff Network "broken-off" "An answer broke off.";
    Silent Network "silent" "The server was waited for, and did not answer.";
    Proxy Network "proxy" "A proxy did not connect to the server.";
    ProxyLogin Network "proxy-login" "A proxy wants a login.";
    NoPushRight Denied "no-push-right" "The login may read there, and not write.";
    NoRoom Io "no-room" "The disk of the target has less room than the import needs.";
    ProjectUnknown Denied "project-unknown" "The project or repository is not there, and is not created by a push.";
    RepositoryName Denied "repository-name" "The server cannot hold a repository of this name.";
    ImmutableTag Denied "immutable-tag" "A rule of the server keeps the tag as it is.";
    ReadOnly Denied "read-only" "The server takes no writes at the moment.";
    Quota Denied "quota" "There is no room left for this project.";
    ListedTwice Denied "listed-twice" "The registry takes no index that lists a manifest twice.";
    TagRemoval Unsupported "tag-removal" "The registry removes no tags by their names.";
    ProxyProject Denied "proxy-project" "The project mirrors another registry, and takes no pushes.";
    MediaType Server "media-type" "The registry does not take documents of this type.";
    Redirected Server "redirected" "The server sends the request elsewhere, in a way that cannot be followed.";
    NotARegistry Server "not-a-registry" "The address is not that of a registry.";
    Busy Server "busy" "The server could not do it at that moment.";
    NotFromRegistry Server "not-from-registry" "Something else than a registry answered.";
    NotStored Server "not-stored" "The server reported success, but did not store what it got.";
    LostChild BlobUnknown "lost-child" "The registry has lost an image that the tag lists, and no package of the run has it.";
    ForeignLayers BlobUnknown "foreign-layers" "The image has layers that are kept elsewhere, and the registry does not take it.";
    BodyLimit TooLarge "body-limit" "The server, or a proxy before it, takes no body of this size.";
    ChartLimit TooLarge "chart-limit" "The chart repository takes no chart of this size.";
}
