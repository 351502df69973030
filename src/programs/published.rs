//! Manifests that projects publish on the internet, known by their addresses.

/// MetalLB as its project publishes it.
pub const METALLB: &str = include_str!("../addons/manifests/metallb.yaml");

/// The releases that the manifests here are of.
const METALLB_RELEASE: &str = "0.15.3";
const INGRESS_NGINX_RELEASE: &str = "1.15.1";
const GATEWAY_API_RELEASE: &str = "1.5.1";
const NGINX_GATEWAY_RELEASE: &str = "2.6.7";
const INGRESS_NGINX: &str = include_str!("../addons/manifests/ingress-nginx.yaml");
/// The definitions of the Gateway API's kinds.
///
/// Simplified: those of kinds on which nothing acts take any specification.
pub const GATEWAY_API: &str = include_str!("../addons/manifests/gateway-api.yaml");
/// The definitions of NGINX Gateway Fabric's own kinds, which take any specification.
pub const NGINX_GATEWAY_CRDS: &str = include_str!("../addons/manifests/nginx-gateway-crds.yaml");
/// NGINX Gateway Fabric as its project publishes it.
pub const NGINX_GATEWAY: &str = include_str!("../addons/manifests/nginx-gateway.yaml");

/// The manifest at an address, if it is one that this model knows. Another release than the one at
/// hand is the same with another version.
pub fn published(url: &str) -> Option<String> {
    let path = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [
            "raw.githubusercontent.com",
            "metallb",
            "metallb",
            branch,
            "config",
            "manifests",
            "metallb-native.yaml",
        ] => {
            let version = version(branch, "v", METALLB_RELEASE)?;
            Some(METALLB.replace(METALLB_RELEASE, version))
        }
        [
            "raw.githubusercontent.com",
            "kubernetes",
            "ingress-nginx",
            branch,
            "deploy",
            "static",
            "provider",
            provider,
            "deploy.yaml",
        ] => {
            let version = version(branch, "controller-v", INGRESS_NGINX_RELEASE)?;
            let text = ingress_nginx(provider)?;
            Some(text.replace(INGRESS_NGINX_RELEASE, version))
        }
        [
            "github.com",
            "kubernetes-sigs",
            "gateway-api",
            "releases",
            "download",
            release,
            "standard-install.yaml" | "experimental-install.yaml",
        ] => {
            let version = version(release, "v", GATEWAY_API_RELEASE)?;
            Some(GATEWAY_API.replace(GATEWAY_API_RELEASE, version))
        }
        [
            "raw.githubusercontent.com",
            "nginx",
            "nginx-gateway-fabric",
            branch,
            "deploy",
            rest @ ..,
        ] => {
            let version = version(branch, "v", NGINX_GATEWAY_RELEASE)?;
            let text = match rest {
                ["crds.yaml"] => NGINX_GATEWAY_CRDS.to_owned(),
                ["default", "deploy.yaml"] => NGINX_GATEWAY.to_owned(),
                ["nodeport", "deploy.yaml"] => {
                    NGINX_GATEWAY.replace("type: LoadBalancer", "type: NodePort")
                }
                _ => return None,
            };
            Some(text.replace(NGINX_GATEWAY_RELEASE, version))
        }
        _ => None,
    }
}

/// The version of a branch or a tag; `main` has the newest.
fn version<'a>(branch: &'a str, prefix: &str, newest: &'a str) -> Option<&'a str> {
    if branch == "main" {
        return Some(newest);
    }
    let version = branch.strip_prefix(prefix)?;
    let is_number = |part: &str| part.parse::<u32>().is_ok();
    (version.split('.').count() == 3 && version.split('.').all(is_number)).then_some(version)
}

/// The manifest for a place where clusters are.
fn ingress_nginx(provider: &str) -> Option<String> {
    const BALANCED: &str = "  type: LoadBalancer\n  externalTrafficPolicy: Local\n";
    const PUBLISH: &str = "        - --publish-service=$(POD_NAMESPACE)/ingress-nginx-controller\n";
    match provider {
        "cloud" | "do" | "exoscale" | "scw" => Some(INGRESS_NGINX.to_owned()),
        "baremetal" => {
            let text = INGRESS_NGINX.replace(BALANCED, "  type: NodePort\n");
            Some(text.replace(PUBLISH, ""))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::published;

    #[test]
    fn projects_publish_where_courses_say() {
        let raw = "https://raw.githubusercontent.com";
        let cases = [
            (
                format!("{raw}/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml"),
                Some("quay.io/metallb/speaker:v0.15.2"),
            ),
            (format!("{raw}/metallb/metallb/v0.15/config/manifests/metallb-native.yaml"), None),
            (
                format!(
                    "{raw}/kubernetes/ingress-nginx/controller-v1.13.3/deploy/static/provider/cloud/deploy.yaml"
                ),
                Some("externalTrafficPolicy: Local"),
            ),
            (
                "https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.4.0/standard-install.yaml".to_owned(),
                Some("bundle-version: v1.4.0"),
            ),
            (
                format!("{raw}/nginx/nginx-gateway-fabric/v2.2.0/deploy/default/deploy.yaml"),
                Some("ghcr.io/nginx/nginx-gateway-fabric:2.2.0"),
            ),
            (
                format!("{raw}/nginx/nginx-gateway-fabric/v2.2.0/deploy/crds.yaml"),
                Some("nginxproxies.gateway.nginx.org"),
            ),
            (
                format!(
                    "{raw}/kubernetes/ingress-nginx/main/deploy/static/provider/baremetal/deploy.yaml"
                ),
                Some("type: NodePort"),
            ),
            ("https://example.com/deploy.yaml".to_owned(), None),
        ];
        for (url, part) in cases {
            let text = published(&url);
            assert_eq!(text.is_some(), part.is_some(), "{url}");
            let text = text.unwrap_or_default();
            assert!(text.contains(part.unwrap_or_default()), "{url}");
        }
    }
}
