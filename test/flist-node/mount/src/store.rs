//! Where blocks lie: `dir:///PATH` as `PATH/ab/abcd…`, `s3://KEY:SECRET@HOST:PORT/PATH?region=NAME` as `PATH/abcd…`.
use crate::{flist::Route, Result};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, time::Duration};

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The sealed bytes of a block, from the first route for its id that has it.
pub fn fetch(routes: &[Route], id: &[u8]) -> Result<Vec<u8>> {
    let mut failure = "no route".to_string();
    for route in routes
        .iter()
        .filter(|route| route.start <= id[0] && id[0] <= route.end)
    {
        match from(&route.url, &hex(id)) {
            Ok(bytes) => return Ok(bytes),
            Err(error) => failure = error.to_string(),
        }
    }
    Err(format!("block {}: {failure}", hex(id)).into())
}

fn from(url: &str, id: &str) -> Result<Vec<u8>> {
    if let Some(folder) = url.strip_prefix("dir://") {
        return Ok(fs::read(format!("{folder}/{}/{id}", &id[..2]))?);
    }
    let rest = url
        .strip_prefix("s3://")
        .ok_or("neither dir:// nor s3://")?;
    let (keys, rest) = rest.split_once('@').ok_or("no keys")?;
    let (access, secret) = keys.split_once(':').ok_or("no secret key")?;
    let (rest, region) = rest.split_once("?region=").ok_or("no region")?;
    let (host, path) = rest.split_once('/').ok_or("no path")?;
    let path = format!("/{path}/{id}");
    let (date, signature) = signed(access, secret, region, host, &path)?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {host}\r\nx-amz-date: {date}\r\n\
         x-amz-content-sha256: UNSIGNED-PAYLOAD\r\nAuthorization: {signature}\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or("no answer")?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head.split(' ').nth(1).unwrap_or("none");
    if status != "200" {
        return Err(format!("the server answers with {status}").into());
    }
    Ok(answer.split_off(end + 4))
}

fn mac(key: &[u8], text: &str) -> Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

/// Date and `Authorization` of a GET, as AWS Signature Version 4 has them.
fn signed(
    access: &str,
    secret: &str,
    region: &str,
    host: &str,
    path: &str,
) -> Result<(String, String)> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let date = date_of(seconds);
    let day = &date[..8];
    let names = "host;x-amz-content-sha256;x-amz-date";
    let request = format!(
        "GET\n{path}\n\nhost:{host}\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:{date}\n\n{names}\nUNSIGNED-PAYLOAD"
    );
    let scope = format!("{day}/{region}/s3/aws4_request");
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
        hex(&Sha256::digest(request))
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [day, region, "s3", "aws4_request"] {
        key = mac(&key, part)?;
    }
    let signature = hex(&mac(&key, &text)?);
    let header =
        format!("AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={signature}");
    Ok((date, header))
}

/// `YYYYMMDDThhmmssZ`.
fn date_of(seconds: u64) -> String {
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut days, mut year, mut month) = (seconds / 86_400, 1970, 0);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + u64::from(is_leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!(
        "{year}{:02}{:02}T{hour:02}{minute:02}{second:02}Z",
        month + 1,
        days + 1
    )
}
