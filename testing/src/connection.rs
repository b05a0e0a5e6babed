//! One connection: reads its requests one after the other, and answers them or makes them fail.

use std::{
    io::{self, BufReader, Write},
    net::{Shutdown, TcpStream},
};

use crate::{Answer, Body, Fault, Request, server::Shared};

/// What to do with a connection after a request.
#[derive(PartialEq, Eq)]
enum Then {
    /// The next request may come.
    GoOn,
    /// Drop it.
    End,
}

/// Serves a connection until it ends.
pub(crate) fn serve(client: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    while let Some(request) = Request::read(&mut reader)? {
        if serve_one(request, &mut reader, &client, shared)? == Then::End {
            break;
        }
    }
    Ok(())
}

fn serve_one(
    mut request: Request,
    reader: &mut BufReader<TcpStream>,
    mut client: &TcpStream,
    shared: &Shared,
) -> io::Result<Then> {
    let under_way = shared.log.begin(&mut request);
    let fault = (shared.rule)(&request);
    if request.method == "CONNECT" && matches!(fault, Fault::Nothing) {
        drop(under_way);
        shared.service.tunnel(&request, client.try_clone()?)?;
        return Ok(Then::End);
    }
    let cut = if let Fault::Cut(length) = &fault { Some(*length) } else { None };
    let mut writer = client;
    let mut body = Body::of(&request, reader, &mut writer, cut);
    let answer = match &fault {
        Fault::Reset => return Ok(Then::End),
        Fault::Early(status) => {
            under_way.answered(*status);
            drop(under_way);
            Answer::new(*status).write(&mut client, false, false)?;
            shared.wait_for_the_end();
            return Ok(Then::End);
        }
        Fault::EarlyEnd(status) => {
            under_way.answered(*status);
            drop(under_way);
            Answer::new(*status).write(&mut client, false, true)?;
            client.shutdown(Shutdown::Write)?;
            io::copy(&mut client, &mut io::sink())?;
            return Ok(Then::End);
        }
        Fault::Answer(answer) => answer.clone(),
        Fault::Unheard => Answer::default(),
        Fault::Changed(change) => change.apply(shared.service.answer(&request, &mut body)?),
        Fault::As(path) => {
            let request = Request { path: path.clone(), ..request.clone() };
            shared.service.answer(&request, &mut body)?
        }
        Fault::Delay(time) => {
            std::thread::sleep(*time);
            shared.service.answer(&request, &mut body)?
        }
        _ => shared.service.answer(&request, &mut body)?,
    };
    // The rest of the body is read because the next request begins after it, and because a client
    // may send all of it before it reads the answer.
    body.pass_over()?;
    if matches!(fault, Fault::Lost | Fault::Unheard | Fault::Cut(_)) {
        return Ok(Then::End);
    }
    under_way.answered(answer.status);
    let closes = request.says("connection", "close");
    let with_body = request.method != "HEAD";
    match &fault {
        Fault::CutAnswer(length) => {
            let (head, count) = (answer.head(closes), answer.body.len().min(*length));
            drop(under_way);
            client.write_all(head.as_bytes())?;
            client.write_all(&answer.body[..count])?;
            return Ok(Then::End);
        }
        Fault::Linger(time) => {
            let wire = answer.wire(with_body, closes);
            let (most, end) = wire.split_at(wire.len().saturating_sub(1));
            client.write_all(most)?;
            std::thread::sleep(*time);
            drop(under_way);
            client.write_all(end)?;
        }
        _ => {
            drop(under_way);
            answer.write(&mut client, with_body, closes)?;
        }
    }
    Ok(if closes { Then::End } else { Then::GoOn })
}
