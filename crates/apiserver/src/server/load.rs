//! Loading objects from manifests: what `kubectl create -f` does, for tests and for the program.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use http::{Method, Request};
use kube_client::{Client, Error};
use serde_json::Value;

use crate::{ApiServer, api::object, handlers::core::Core, registry::Kind, wire::yaml};

/// Why a manifest was not loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file or a directory cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The text is no YAML.
    #[error("{origin}: {reason}")]
    Parse {
        /// The file; `manifest` for a text.
        origin: String,
        /// The parser's message, with the place.
        reason: String,
    },
    /// A document is not an object of a kind that is served.
    #[error("{origin}: document {document}: {reason}")]
    Object {
        /// The file; `manifest` for a text.
        origin: String,
        /// Which document, from 1.
        document: usize,
        /// The error in it.
        reason: String,
    },
    /// The server refused an object.
    #[error("{origin}: document {document}: {source}")]
    Refused {
        /// The file; `manifest` for a text.
        origin: String,
        /// Which document, from 1.
        document: usize,
        /// The server's answer.
        source: Box<Error>,
    },
}

impl ApiServer {
    /// Creates the objects of a YAML or JSON file, or of all such files of a directory in the order of their names.
    /// Definitions are served from the document on that follows them. An object without a namespace is
    /// made in `default`, and an item of a `List` counts as a document. Returns how many there were.
    ///
    /// # Errors
    ///
    /// The first file or object that cannot be loaded; what came before it stays.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, some of the objects were created.
    pub async fn load(&self, path: impl AsRef<Path>) -> Result<usize, LoadError> {
        let mut loaded = 0;
        for file in manifests(path.as_ref())? {
            let text = fs::read_to_string(&file).map_err(|source| unreadable(&file, source))?;
            loaded += self.load_from(&file.display().to_string(), &text).await?;
        }
        Ok(loaded)
    }

    /// Creates the objects of a YAML or JSON text, as [`load`](Self::load) does.
    ///
    /// # Errors
    ///
    /// The first object that cannot be created; what came before it stays.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, some of the objects were created.
    pub async fn load_text(&self, manifest: &str) -> Result<usize, LoadError> {
        self.load_from("manifest", manifest).await
    }

    async fn load_from(&self, origin: &str, text: &str) -> Result<usize, LoadError> {
        let documents =
            yaml::read_all(text).map_err(|reason| LoadError::Parse { origin: origin.to_owned(), reason })?;
        let client = self.client_as("loader");
        let mut loaded = 0;
        for (number, document) in documents.into_iter().enumerate() {
            for object in items(document) {
                create(self.core(), &client, &object)
                    .await
                    .map_err(|failure| failure.at(origin, number + 1))?;
                loaded += 1;
            }
        }
        Ok(loaded)
    }
}

/// Why one object was not created.
enum Failure {
    Unfit(String),
    Refused(Box<Error>),
}

impl Failure {
    fn at(self, origin: &str, document: usize) -> LoadError {
        let origin = origin.to_owned();
        match self {
            Self::Unfit(reason) => LoadError::Object { origin, document, reason },
            Self::Refused(source) => LoadError::Refused { origin, document, source },
        }
    }
}

async fn create(core: &Core, client: &Client, object: &Value) -> Result<(), Failure> {
    let (version, word) = (object::api_version(object), object["kind"].as_str().unwrap_or_default());
    let kind = core.registry.kinds.of_kind(version, word);
    let kind = kind.ok_or_else(|| Failure::Unfit(format!("no kind {word:?} is served in {version:?}")))?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(collection(&kind, object))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(object.to_string().into_bytes())
        .map_err(|error| Failure::Unfit(error.to_string()))?;
    match client.request::<Value>(request).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Refused(Box::new(error))),
    }
}

/// The path of the collection that `object` belongs to.
fn collection(kind: &Kind, object: &Value) -> String {
    let root = if kind.group.is_empty() { "/api" } else { "/apis" };
    let namespace = match (kind.namespaced, object::namespace(object)) {
        (false, _) => String::new(),
        (true, "") => "/namespaces/default".to_owned(),
        (true, namespace) => format!("/namespaces/{namespace}"),
    };
    format!("{root}/{}{namespace}/{}", kind.api_version(), kind.plural)
}

/// The objects in a document: none in an empty one, and those of a `List`.
fn items(document: Value) -> Vec<Value> {
    match document {
        Value::Null => Vec::new(),
        Value::Object(mut list) if list.get("kind").is_some_and(|kind| kind == "List") => {
            match list.remove("items") {
                Some(Value::Array(items)) => items,
                _ => Vec::new(),
            }
        }
        object => vec![object],
    }
}

/// The file itself, or the manifests of a directory.
fn manifests(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|source| unreadable(path, source))?;
    let is_manifest = |file: &PathBuf| {
        file.extension()
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
    };
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(is_manifest).collect();
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, source: io::Error) -> LoadError {
    LoadError::Read { path: path.to_owned(), source }
}
