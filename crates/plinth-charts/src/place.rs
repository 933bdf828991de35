//! Where the chart of a release is.

use crate::address::{self, answering};
use crate::failure::Failure;
use plinth_model::steps::Release;
use plinth_model::text::host_of;
use plinth_world::files;
use plinth_world::private_file::is_file_name;
use reqwest::Url;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where charts are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A folder of packages on this machine.
    Folder(PathBuf),
    /// A repository with an index, its address ending with `/`.
    Repository(Url),
    /// A registry of images.
    Registry(Reference),
    /// One file of objects.
    File(Url),
}

/// A repository of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Host, with its port if it has one.
    pub(crate) host: String,
    /// Path: `lws/charts/lws`.
    pub(crate) path: String,
    /// Tag, where one is named.
    pub(crate) tag: Option<String>,
}

impl Reference {
    /// Reads what stands behind `oci://`.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        let bad = || Failure::input(format!("the address of a chart in the registry {} makes no sense", host_of(text)));
        let (host, path) = text.trim_end_matches('/').split_once('/').ok_or_else(bad)?;
        let (path, tag) = match path.split_once(':') {
            Some((path, tag)) => (path, Some(tag.to_owned())),
            None => (path, None),
        };
        let plain = |text: &str, signs: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || signs.as_bytes().contains(&b))
        };
        let parts = path.split('/').all(|part| plain(part, "-_.") && !part.starts_with('.'));
        if !plain(host, ".-:[]") || !parts || !tag.as_deref().is_none_or(|tag| plain(tag, "-_.")) {
            return Err(bad());
        }
        Ok(Self { host: host.to_lowercase(), path: path.to_owned(), tag })
    }

    /// An address of the registry's interface.
    pub(crate) fn url(&self, rest: &str) -> Result<Url, Failure> {
        let host = answering(&self.host);
        Url::parse(&format!("https://{host}/v2/{}/{rest}", self.path))
            .map_err(|_| Failure::input(format!("`{host}` is no registry")))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Repository(url) | Self::File(url) => f.write_str(&address::plain(url)),
            Self::Registry(Reference { host, path, .. }) => write!(f, "oci://{host}/{path}"),
        }
    }
}

/// Name of the chart of a release, and where it is; relative folders start at `site`.
pub(crate) fn of(release: &Release, site: &Path) -> Result<(String, Place), Failure> {
    if release.of_objects {
        return of_objects(release, site);
    }
    let repository = release.repository.trim_end_matches('/');
    let whole = match (release.chart.strip_prefix("oci://"), repository.strip_prefix("oci://")) {
        (Some(whole), _) => Some(whole.to_owned()),
        (None, Some(repository)) => Some(format!("{repository}/{}", release.chart)),
        (None, None) => None,
    };
    if let Some(whole) = whole {
        let reference = Reference::read(&whole)?;
        let name = reference.path.rsplit('/').next().unwrap_or_default().to_owned();
        return Ok((name, Place::Registry(reference)));
    }
    if !is_file_name(&release.chart) {
        return Err(Failure::input("the name of the chart is none: letters, digits and `-._` only"));
    }
    let place = match repository {
        "" => return Err(Failure::input(format!("nothing says where the chart `{}` comes from", release.chart))),
        address if address.contains("://") => Place::Repository(address_of(address)?),
        folder => Place::Folder(files::named(site, folder)),
    };
    Ok((release.chart.clone(), place))
}

/// The folder that has its file of objects, or the file's address.
fn of_objects(release: &Release, site: &Path) -> Result<(String, Place), Failure> {
    let name = release.chart.rsplit('/').next().unwrap_or_default().to_owned();
    if !is_file_name(&release.file_of_objects()) {
        return Err(Failure::input("the name of the file of objects is none: letters, digits and `-._` only"));
    }
    let file = release.file_of_objects();
    if release.chart.contains("://") || release.repository.starts_with("oci://") {
        let text = format!("a registry of images holds no files, and {name} comes as one");
        let attempt = format!("put {file} and the charts into a folder, or onto a mirror that is reached by https");
        return Err(Failure::input(text).attempt(attempt));
    }
    let place = match (release.address_of_objects(), release.repository.trim_end_matches('/')) {
        (Some(address), _) => {
            let mut url = address_of(&address)?;
            url.path_segments_mut()
                .map_err(|()| Failure::input("the address of the file cannot be used"))?
                .pop_if_empty();
            Place::File(url)
        }
        (None, "") => {
            let text = format!("nothing says where the file of objects of `{name}` comes from");
            return Err(
                Failure::input(text).attempt(format!("put {file} into the folder that `platform.charts` names"))
            );
        }
        (None, folder) => Place::Folder(files::named(site, folder)),
    };
    Ok((name, place))
}

fn address_of(address: &str) -> Result<Url, Failure> {
    let bad = || Failure::input(format!("the address of the repository at {} cannot be used", host_of(address)));
    let url = Url::parse(&format!("{address}/")).map_err(|_| bad())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if plain && url.has_host() && matches!(url.scheme(), "https" | "http") { Ok(url) } else { Err(bad()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn place(chart: &str, repository: &str) -> Result<(String, String), Failure> {
        let release = crate::tests::release(chart, repository, "1.0.0");
        of(&release, Path::new("/site")).map(|(name, place)| (name, place.to_string()))
    }

    #[test]
    fn a_place_is_a_repository_a_registry_or_a_folder() {
        let said = |name: &str, place: &str| (name.to_owned(), place.to_owned());
        for (chart, repository, wanted) in [
            ("a", "https://r.example.com/x/", said("a", "https://r.example.com/x/")),
            ("oci://r.example.com:5000/x/a", "", said("a", "oci://r.example.com:5000/x/a")),
            ("a", "oci://R.example.com/x/", said("a", "oci://r.example.com/x/a")),
            ("a", "charts", said("a", "/site/charts")),
            ("a", "/srv/charts/", said("a", "/srv/charts")),
        ] {
            assert_eq!(place(chart, repository).unwrap(), wanted);
        }
    }

    #[test]
    fn a_login_for_docker_hub_is_shown_where_its_charts_are_asked_for() {
        let url = Reference::read("docker.io/org/chart").unwrap().url("manifests/1.0.0").unwrap();
        let login = |place: &str| crate::login::Login::new(place, "user", plinth_model::Secret::new("pw".into()));
        assert_eq!(url.host_str(), Some("registry-1.docker.io"));
        assert!(login("docker.io").is_for(&url) && login("oci://docker.io/org").is_for(&url));
    }

    #[test]
    fn what_is_no_place_is_refused_and_a_login_in_it_is_not_repeated() {
        for (chart, repository) in [
            ("a", ""),
            ("../a", "https://r.example.com"),
            ("a", "ftp://r.example.com"),
            ("a", "https://u:hunter2@r.example.com"),
            ("a", "https://r.example.com?token=hunter2"),
            ("oci://r.example.com", ""),
            ("oci://u:hunter2@r.example.com/a", ""),
            ("oci://r.example.com/../a", ""),
            ("oci://r.example.com/a b", ""),
        ] {
            let failure = place(chart, repository).unwrap_err();
            assert!(!failure.happened.contains("hunter2"), "{}", failure.happened);
        }
    }
}
